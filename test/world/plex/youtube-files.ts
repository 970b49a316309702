import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Item } from './catalogue.ts'

const media = new Set([
  '.mp4',
  '.mkv',
  '.webm',
  '.m4v',
  '.mov',
  '.avi',
  '.ts',
  '.m4a',
  '.mp3',
  '.opus',
  '.flac',
])

/** Every media file below a folder; hidden folders and unfinished downloads are left out. */
export async function mediaFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const full = path.join(folder, entry.name)
    if (entry.isDirectory()) found.push(...(await mediaFiles(full)))
    else if (media.has(path.extname(entry.name).toLowerCase())) found.push(full)
  }
  return found
}

export type FileFacts = Pick<Item, 'title' | 'file' | 'fileSize' | 'summary'> &
  Partial<Pick<Item, 'year' | 'studio' | 'originallyAvailableAt' | 'durationMs'>> & {
    readonly modifiedAt: number
  }

/** What a file and the `.nfo` beside it say; the file's name is its title where there is none. */
export async function fileFacts(file: string): Promise<FileFacts | undefined> {
  const facts = await stat(file).catch(() => undefined)
  if (!facts) return undefined
  const { dir, name } = path.parse(file)
  const nfo = await readFile(path.join(dir, `${name}.nfo`), 'utf8').catch(() => '')
  const aired = text(nfo, 'aired') ?? text(nfo, 'premiered')
  const minutes = Number(text(nfo, 'runtime'))
  const studio = text(nfo, 'studio')
  return {
    title: text(nfo, 'title') ?? name,
    summary: text(nfo, 'plot') ?? '',
    file,
    fileSize: facts.size,
    modifiedAt: Math.floor(facts.mtimeMs / 1000),
    ...(aired && /^\d{4}-\d\d-\d\d$/.test(aired)
      ? { originallyAvailableAt: aired, year: Number(aired.slice(0, 4)) }
      : {}),
    ...(studio ? { studio } : {}),
    ...(minutes > 0 ? { durationMs: minutes * 60_000 } : {}),
  }
}

export async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isDirectory() ?? false
}

/** The folder itself when it is one, and lies in one of the locations; a file or anything else is nothing. */
export async function folderWithin(
  locations: readonly string[],
  wanted: string,
): Promise<string | undefined> {
  const folder = path.resolve(wanted)
  const inside = locations.some((root) => {
    const relative = path.relative(root, folder)
    return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative))
  })
  if (!inside) return undefined
  const facts = await stat(folder).catch(() => undefined)
  // A folder that is gone is still scanned: that is how its items disappear.
  return facts && !facts.isDirectory() ? undefined : folder
}

function text(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim()
  if (!found) return undefined
  return found
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&amp;', '&')
}
