import type { Format, Quality } from '#contract/options.ts'
import { recordOptions, metadataOption } from './templates.ts'

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

export type DownloadOptions = RunOptions & { readonly quality: Quality; readonly format: Format }

/** Where in the run's directory what is finished appears, and where it is made. */
export const finishedFolder = 'finished'
export const partialFolder = 'partial'

/** The arguments of a run that downloads. Only typed values get in; the address stands behind `--`. */
export function downloadArguments(options: DownloadOptions): string[] {
  return [
    ...always(options),
    ...words('--no-simulate --progress --newline --progress-delta 0.25'),
    ...recordOptions(options.nonce),
    ...selection(options.quality, options.format),
    ...words('--embed-metadata --embed-chapters --no-embed-info-json'),
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
    ...words('--simulate --ignore-no-formats-error'),
    ...metadataOption(options.nonce),
    ...last(options.url),
  ]
}

function always(options: RunOptions): string[] {
  return [
    ...words('--ignore-config --no-plugin-dirs --no-remote-components --no-update'),
    ...words('--color never --no-quiet --abort-on-error --windows-filenames'),
    ...words('--no-playlist --playlist-items 1 --abort-on-unavailable-fragments'),
    '--no-js-runtimes',
    ...given('--js-runtimes', `node:${options.nodePath}`),
    ...given('--cache-dir', options.cacheDirectory),
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

const words = (text: string): string[] => text.split(' ')

const given = (option: string, value: string | undefined): string[] =>
  value === undefined ? [] : [option, value]

/** The exact height if there is one, else the nearest lower, else the nearest: that is how `res:` sorts. */
function resolution(quality: Quality): string {
  return quality === 'best' ? 'res' : `res:${quality.slice(0, -1)}`
}

/** A sort prefers and never excludes, so that what the site does not offer comes in the next best shape. */
function selection(quality: Quality, format: Format): string[] {
  const picture = words('-f bv*+ba/b -S')
  const res = resolution(quality)
  switch (format) {
    case 'mp4':
      return [
        ...picture,
        `${res},lang,quality,fps,vcodec:h264,acodec:aac`,
        ...words('--merge-output-format mp4 --remux-video mp4'),
      ]
    case 'webm':
      return [
        ...picture,
        `${res},ext:webm:webm,vcodec:vp9,lang,quality,fps,acodec:opus`,
        ...words('--merge-output-format webm/mkv --recode-video webm --postprocessor-args'),
        // Only what no source offers as WebM is encoded, and then a home server must keep up.
        'VideoConvertor:-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1',
      ]
    case 'mkv':
      return [...picture, `${res},lang,quality,fps`, ...words('--merge-output-format mkv --remux-video mkv')]
    case 'm4a':
    case 'mp3':
    case 'opus':
      return [
        ...words('-f ba/b -S'),
        `lang,quality,acodec:${format === 'opus' ? 'opus' : 'aac'}`,
        ...words(`-x --audio-format ${format} --audio-quality 0`),
      ]
  }
}
