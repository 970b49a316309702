import type { Format, Quality } from '#contract/options.ts'

/**
 * A sort prefers and never excludes, so that what the site does not offer comes in the next best shape. The height
 * stands first: exactly it, else the nearest lower, else the nearest. Then the language the film was made in, then the
 * codecs the container is wanted for.
 */
export function formatArguments(quality: Quality, format: Format): string[] {
  const res = quality === 'best' ? 'res' : `res:${quality.slice(0, -1)}`
  switch (format) {
    case 'mp4':
      return [
        ...picture(`${res},lang,vcodec:h264,acodec:aac,quality,fps`),
        ...words('--merge-output-format mp4 --remux-video mp4'),
      ]
    case 'webm':
      return [
        ...picture(`${res},lang,ext:webm:webm,vcodec:vp9,acodec:opus,quality,fps`),
        ...words('--merge-output-format webm/mkv --recode-video webm --postprocessor-args'),
        // Only what no source offers as WebM is encoded, and then a home server must keep up.
        'VideoConvertor:-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1',
      ]
    case 'mkv':
      return [...picture(`${res},lang,quality,fps`), ...words('--merge-output-format mkv --remux-video mkv')]
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

const picture = (sort: string): string[] => [...words('-f bv*+ba/b -S'), sort]

const words = (text: string): string[] => text.split(' ')
