import { checkTools, minimalEnvironment } from '../versions.ts'
import type { ToolVersions } from '../versions.ts'

/** What keeps these programs from doing for YouTube. Age alone does not: it is told by the health, and mended by an update. */
export const lacksOf = ({ troubles, jsRuntime, challengeSolver }: ToolVersions): string[] => [
  ...troubles.filter((trouble) => trouble !== 'ytdlp-old'),
  ...(jsRuntime ? [] : ['js-runtime-missing']),
  ...(challengeSolver ? [] : ['challenge-solver-missing']),
]

/** Ends with an error when something is lacking in the image: such an image is not worth having. */
async function check(): Promise<void> {
  const { YT_DLP_PATH = 'yt-dlp', FFMPEG_PATH = 'ffmpeg', FFPROBE_PATH = 'ffprobe' } = process.env
  const paths = { ytDlp: YT_DLP_PATH, ffmpeg: FFMPEG_PATH, ffprobe: FFPROBE_PATH, node: process.execPath }
  const found = await checkTools(paths, minimalEnvironment(process.env), new Date())
  const lacks = lacksOf(found)
  console.log(JSON.stringify({ ...found, lacks }))
  if (lacks.length > 0) process.exitCode = 1
}

if (import.meta.main) await check()
