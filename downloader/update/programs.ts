import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

import { replaceFile } from './replace-file.ts'

/** A version that was fetched, or the one that was installed with the downloader. */
export const installed = 'installed'

const Version = z.string().regex(/^\d{4}\.\d{2}\.\d{2}(?:\.\d+)?$/)
const Choice = z.object({
  inUse: z.union([z.literal(installed), Version]),
  previous: z.union([z.literal(installed), Version]).optional(),
  /** What a person has gone back from; it is not taken again unasked. */
  setAside: z.array(Version),
})
export type Choice = z.output<typeof Choice>

/** Somebody's own build may be called anything. */
export const isRelease = (version: string): boolean => Version.safeParse(version).success

/** The yt-dlp programs at hand, each in a folder of its own, and which of them is in use. */
export type Programs = {
  /** What to run now. An update may have changed it since: a run keeps the path it began with. */
  readonly path: () => string
  readonly choice: () => Choice
  readonly fileOf: (version: string) => string
  readonly add: (version: string, bytes: Uint8Array) => Promise<string>
  readonly discard: (version: string) => Promise<void>
  readonly choose: (choice: Choice, now: Date) => Promise<void>
  /** Removes what is neither in use nor the one before, once nothing can be running it any more. */
  readonly prune: (now: Date) => Promise<void>
}

const nothingChosen: Choice = { inUse: installed, setAside: [] }
const folderPrefix = 'yt-dlp-'
/** No job runs for longer. */
const keepUnusedMs = 24 * 60 * 60_000

export function openPrograms(folder: string, installedProgram: string): Programs {
  const pointer = join(folder, 'yt-dlp.json')
  const folderOf = (version: string): string => join(folder, `${folderPrefix}${version}`)
  const fileOf = (version: string): string =>
    version === installed ? installedProgram : join(folderOf(version), 'yt-dlp')
  const choice = (): Choice => readChoice(pointer) ?? nothingChosen
  const add = async (version: string, bytes: Uint8Array): Promise<string> => {
    await mkdir(folderOf(version), { recursive: true, mode: 0o700 })
    await replaceFile(fileOf(version), bytes, 0o755)
    return fileOf(version)
  }
  return {
    path: () => {
      const file = fileOf(choice().inUse)
      return existsSync(file) ? file : installedProgram
    },
    choice,
    fileOf,
    add,
    discard: (version) => rm(folderOf(version), { recursive: true, force: true }),
    choose: async (next, now) => {
      const { inUse } = choice()
      // Whoever runs it still may do so for a while: its age counts from here.
      if (inUse !== installed) await utimes(folderOf(inUse), now, now).catch(() => undefined)
      await replaceFile(pointer, JSON.stringify(next), 0o600)
    },
    prune: async (now) => {
      const { inUse, previous } = choice()
      const kept = new Set([inUse, previous].map((version) => `${folderPrefix}${version}`))
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name)
        const found = await stat(path).catch(() => undefined)
        if (!found?.isDirectory() || !name.startsWith(folderPrefix) || kept.has(name)) continue
        if (now.getTime() - found.mtimeMs > keepUnusedMs) await rm(path, { recursive: true, force: true })
      }
    },
  }
}

function readChoice(pointer: string): Choice | undefined {
  try {
    return Choice.safeParse(JSON.parse(readFileSync(pointer, 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Compares versions, which are dates and perhaps a further number; undefined when one is somebody's own build. */
export function isNewer(version: string, than: string): boolean | undefined {
  const [left, right] = [numbersOf(version), numbersOf(than)]
  if (!left || !right) return undefined
  const index = left.findIndex((part, at) => part !== right[at])
  return index !== -1 && (left[index] ?? 0) > (right[index] ?? 0)
}

function numbersOf(version: string): number[] | undefined {
  const match = /^(\d{4})\.(\d{1,2})\.(\d{1,2})(?:\.(\d+))?$/.exec(version)
  return match?.slice(1).map((part) => Number(part ?? 0))
}
