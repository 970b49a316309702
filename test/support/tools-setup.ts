import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    tools: { readonly ytDlp: string; readonly ffmpeg: string; readonly ffprobe: string }
  }
}

/** Makes sure that yt-dlp and ffmpeg are there, and says where. */
export default async function setup(project: TestProject): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/ensure-tools.ts'], {
    timeout: 600_000,
  })
  project.provide('tools', JSON.parse(stdout))
}
