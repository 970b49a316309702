import type { Format, Quality } from '#contract/options.ts'
import { linesNamed } from '#contract/selection.ts'
import { longestSide } from './frame.ts'

/**
 * A sort prefers and never excludes, so that what the site does not offer comes in the next best shape. The height
 * stands first: exactly it, else the nearest lower, else the nearest. Then the language the film was made in, then the
 * codecs the container is wanted for. yt-dlp sorts by the shorter side alone, by which a wide film of 2560x1072 would be
 * nearest to 1080p: what is too long for the frame is left out, unless there is nothing else.
 */
export function formatArguments(quality: Quality, format: Format): string[] {
  const lines = linesNamed(quality)
  const res = lines === undefined ? 'res' : `res:${lines}`
  const picture = (sort: string): string[] => ['-f', within(lines), '-S', `${res},lang,${sort}`]
  switch (format) {
    case 'mp4':
      return [
        ...picture('vcodec:h264,acodec:aac,quality,fps'),
        ...words('--merge-output-format mp4 --remux-video mp4'),
      ]
    case 'webm':
      return [
        ...picture('ext:webm:webm,vcodec:vp9,acodec:opus,quality,fps'),
        ...words('--merge-output-format webm/mkv --recode-video webm --postprocessor-args'),
        // Only what no source offers as WebM is encoded, and then a home server must keep up.
        'VideoConvertor:-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1',
      ]
    case 'mkv':
      return [...picture('quality,fps'), ...words('--merge-output-format mkv --remux-video mkv')]
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

const anySize = 'bv*+ba/b'

/** What does not tell its size is let through. */
function within(lines: number | undefined): string {
  if (lines === undefined) return anySize
  const frame = `[width<=?${longestSide(lines)}][height<=?${longestSide(lines)}]`
  return `bv*${frame}+ba/b${frame}/${anySize}`
}

const words = (text: string): string[] => text.split(' ')
