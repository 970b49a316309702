import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Format, Subtitles } from '#contract/options.ts'
import { isAudio } from '#contract/options.ts'

/** Subtitles in a file of their own. */
export type Sidecar = { readonly language: string; readonly file: string; readonly extension: string }

/**
 * They are kept as files even when they go into the film: the files alone tell their languages exactly, and are there
 * when the container would not take them.
 */
export function subtitleArguments(subtitles: Subtitles | undefined, format: Format): string[] {
  if (subtitles === undefined || isAudio(format)) return []
  const { languages, automatic, delivery } = subtitles
  // WebM takes no other kind, and what stands beside a film is read most widely as SubRip.
  const kind = format === 'webm' && delivery === 'embed' ? 'vtt' : 'srt'
  return [
    '--write-subs',
    ...(automatic ? ['--write-auto-subs'] : []),
    '--sub-langs',
    languages.map((language) => patternOf(language, automatic)).join(','),
    '--sub-format',
    `${kind}/vtt/srt/best`,
    '--convert-subs',
    kind,
    ...(delivery === 'embed' ? ['--embed-subs'] : []),
  ]
}

/** A region or a script, without a comma, at which yt-dlp would cut the pattern in two. */
const variants = '(-[a-z]{2}|-[0-9]{3}|-[a-z]{4}|-[a-z]{4}-[a-z]{2})?'

/**
 * Whoever wants `en` is content with `en-GB`. Not among automatic ones: there `en-de` is what a machine has made of
 * German, and each of them would be one request more.
 */
function patternOf(language: string, automatic: boolean): string {
  return automatic || language.includes('-') ? language : language + variants
}

const written = /^media\.([A-Za-z0-9-]{2,40})\.(srt|vtt|ass)$/

/** What a run has left beside the media. */
export async function findSidecars(folder: string): Promise<Sidecar[]> {
  const names: string[] = await readdir(folder).catch(() => [])
  return names.sort().flatMap((name) => {
    const [, language, extension] = written.exec(name) ?? []
    return language && extension ? [{ language, extension, file: join(folder, name) }] : []
  })
}

/** Which of the languages are in the film, by the tags of its streams: yt-dlp writes those from the first two letters. */
export function languagesEmbedded(languages: readonly string[], tags: readonly string[]): string[] {
  const left = tags.map((tag) => canonical(tag))
  return languages.filter((language) => {
    const index = left.findIndex(
      (tag) => tag === canonical(language.slice(0, 2)) || tag === canonical(language),
    )
    if (index >= 0) left.splice(index, 1)
    return index >= 0
  })
}

/** Those of the wanted languages of which nothing is there. */
export function languagesMissing({ languages }: Subtitles, there: readonly string[]): string[] {
  const found = there.map((language) => language.toLowerCase())
  return languages.filter((language) => {
    const wanted = language.toLowerCase()
    return !found.some((tag) => tag === wanted || tag.startsWith(`${wanted}-`))
  })
}

function canonical(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag
  } catch {
    return tag
  }
}
