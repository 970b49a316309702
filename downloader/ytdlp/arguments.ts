import type { DownloadExtras, DownloadOptions as Wishes } from '#contract/options.ts'
import { formatArguments } from './format-arguments.ts'
import { subtitleArguments } from './subtitles.ts'
import { metadataOption, playlistOption, recordOptions } from './templates.ts'

export type RunOptions = {
  /** Marks the lines that are for us; a page cannot know it. */
  readonly nonce: string
  readonly url: string
  /** Absolute, and this run's alone. */
  readonly directory: string
  readonly cacheDirectory: string
  /** The Node that solves YouTube's challenges. */
  readonly nodePath: string
  readonly ffmpegPath: string
  readonly rateLimit: string | undefined
  readonly cookiesFile: string | undefined
  readonly proxy: string | undefined
}

export type DownloadOptions = RunOptions & Wishes & { readonly sponsorBlockApi: string | undefined }

/** Where in the run's directory what is finished appears, and where it is made. */
export const finishedFolder = 'finished'
export const partialFolder = 'partial'

/** The arguments of a run that downloads. Only typed values get in; the address stands behind `--`. */
export function downloadArguments(options: DownloadOptions): string[] {
  return [
    ...always(options),
    ...oneVideo,
    // What goes with a film must not cost the film: whether there is one, and a whole one, is proven afterwards.
    '--ignore-errors',
    ...words('--no-simulate --progress --newline --progress-delta 0.25'),
    ...recordOptions(options.nonce),
    ...formatArguments(options.quality, options.format),
    ...words('--embed-metadata --no-embed-info-json'),
    ...chapterArguments(options.extras, options.sponsorBlockApi),
    ...subtitleArguments(options.extras.subtitles, options.format),
    ...words('--no-overwrites --continue --part --no-mtime --no-keep-video --concurrent-fragments 4'),
    ...given('--limit-rate', options.rateLimit),
    ...given('-P', `home:${options.directory}/${finishedFolder}`),
    ...given('-P', `temp:${options.directory}/${partialFolder}`),
    ...given('-o', 'media.%(ext)s'),
    ...last(options.url),
  ]
}

/** The arguments of a run that only looks: metadata, even of what has no formats yet. */
export function probeArguments(options: RunOptions): string[] {
  return [
    ...always(options),
    ...oneVideo,
    ...words('--abort-on-error --simulate --ignore-no-formats-error'),
    ...metadataOption(options.nonce),
    ...last(options.url),
  ]
}

/** The arguments of a run that lists the first videos of a playlist, and looks at none of them. */
export function playlistArguments(options: RunOptions & { readonly limit: number }): string[] {
  return [
    ...always(options),
    ...words('--abort-on-error --simulate --yes-playlist --flat-playlist --playlist-items'),
    `1:${options.limit}`,
    ...playlistOption(options.nonce),
    ...last(options.url),
  ]
}

const words = (text: string): string[] => text.split(' ')

const oneVideo = words('--no-playlist --playlist-items 1')

function always(options: RunOptions): string[] {
  return [
    ...words('--ignore-config --no-plugin-dirs --no-remote-components --no-update'),
    ...words('--color never --no-quiet --windows-filenames --abort-on-unavailable-fragments'),
    '--no-js-runtimes',
    ...given('--js-runtimes', `node:${options.nodePath}`),
    ...given('--cache-dir', options.cacheDirectory),
    // The only way to learn what `Retry-After` says. What is printed is read, and neither kept nor told.
    '--print-traffic',
    ...words('--socket-timeout 20 --retries 7 --fragment-retries 7 --extractor-retries 2'),
    ...words('--retry-sleep http:exp=0.25:2 --retry-sleep fragment:exp=0.25:2'),
    // A bare name is left to the search path.
    ...given('--ffmpeg-location', options.ffmpegPath.includes('/') ? options.ffmpegPath : undefined),
    '--no-cookies-from-browser',
    ...given('--cookies', options.cookiesFile),
    // Empty means none, whatever the environment says.
    ...given('--proxy', options.proxy ?? ''),
  ]
}

const last = (url: string): string[] => ['--no-exec', '--', url]

const given = (option: string, value: string | undefined): string[] =>
  value === undefined ? [] : [option, value]

/** What SponsorBlock marks are chapters too: whoever wants the marks gets chapters. */
function chapterArguments({ chapters, sponsorBlock }: DownloadExtras, api: string | undefined): string[] {
  const embedded = chapters || sponsorBlock?.action === 'mark'
  const embed = embedded ? '--embed-chapters' : '--no-embed-chapters'
  if (sponsorBlock === undefined) return [embed]
  const { action, categories } = sponsorBlock
  return [embed, `--sponsorblock-${action}`, categories.join(','), ...given('--sponsorblock-api', api)]
}
