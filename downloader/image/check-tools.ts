import { checkTools, minimalEnvironment } from '../versions.ts'

/** Ends with an error when the programs in the image would not do for YouTube: such an image is not worth having. */
const { YT_DLP_PATH = 'yt-dlp', FFMPEG_PATH = 'ffmpeg', FFPROBE_PATH = 'ffprobe' } = process.env
const paths = { ytDlp: YT_DLP_PATH, ffmpeg: FFMPEG_PATH, ffprobe: FFPROBE_PATH, node: process.execPath }
const { troubles, ...versions } = await checkTools(paths, minimalEnvironment(process.env), new Date())
const lacks = [
  ...troubles,
  ...(versions.jsRuntime ? [] : ['js-runtime-missing']),
  ...(versions.challengeSolver ? [] : ['challenge-solver-missing']),
]
console.log(JSON.stringify({ ...versions, lacks }))
if (lacks.length > 0) process.exitCode = 1
