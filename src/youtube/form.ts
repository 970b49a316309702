import type { DownloadOptions } from '#contract/options.ts'

/** The same for options that make the same file, in whatever order they name their languages and categories. */
export function formOf({ quality, format, extras }: DownloadOptions): string {
  const { subtitles, sponsorBlock, chapters, thumbnail } = extras
  return JSON.stringify([
    quality,
    format,
    chapters,
    thumbnail,
    subtitles && [subtitles.delivery, subtitles.automatic, sorted(subtitles.languages)],
    sponsorBlock && [sponsorBlock.action, sorted(sponsorBlock.categories)],
  ])
}

export const isSameForm = (one: DownloadOptions, other: DownloadOptions): boolean =>
  formOf(one) === formOf(other)

const sorted = (names: readonly string[]) => [...new Set(names)].toSorted()
