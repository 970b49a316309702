import type { DownloadExtras, DownloadOptions } from './options.ts'

/** The same for options that make the same file, in whatever order they name their languages and categories. */
export function formOf({ quality, format, extras }: DownloadOptions): string {
  const { chapters, thumbnail } = extras
  return JSON.stringify([quality, format, chapters, thumbnail, ...editsOf(extras)])
}

export const isSameForm = (one: DownloadOptions, other: DownloadOptions): boolean =>
  formOf(one) === formOf(other)

/**
 * What tells a film apart from others of the same video, height and container: how it was cut and what was added.
 * Nothing where it was left as it is.
 */
export function editionOf(extras: DownloadExtras): string | undefined {
  const { subtitles, sponsorBlock, chapters } = extras
  return subtitles || sponsorBlock || !chapters ? JSON.stringify([chapters, ...editsOf(extras)]) : undefined
}

const editsOf = ({ subtitles, sponsorBlock }: DownloadExtras) => [
  subtitles && [subtitles.delivery, subtitles.automatic, sorted(subtitles.languages)],
  sponsorBlock && [sponsorBlock.action, sorted(sponsorBlock.categories)],
]

const sorted = (names: readonly string[]) => [...new Set(names)].toSorted()
