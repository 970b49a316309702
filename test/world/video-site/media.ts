import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { dashManifest, subtitledDashManifest } from './catalogue.ts'
import { recipe } from './recipe.ts'
import { subtitleAdaptations, writtenFiles } from './written-files.ts'

const execute = promisify(execFile)

/** Makes the site's media once; another process that makes it at the same time does no harm. Answers its folder. */
export async function makeMedia(folder: string, ffmpeg: string): Promise<string> {
  const steps = recipe()
  const print = createHash('sha256')
    .update(JSON.stringify([steps, [...writtenFiles], subtitleAdaptations]))
    .digest('hex')
    .slice(0, 12)
  const made = join(folder, `media-${print}`)
  if (await exists(made)) return made
  const draft = join(folder, `draft-${print}-${process.pid}-${performance.now()}`)
  try {
    for (const args of steps) {
      const target = join(draft, args.at(-1) ?? '')
      await mkdir(dirname(target), { recursive: true })
      await execute(ffmpeg, ['-nostdin', '-v', 'error', '-y', ...args], { cwd: draft, timeout: 120_000 })
    }
    await writeTexts(draft)
    await rename(draft, made).catch(async (error: unknown) => {
      if (!(await exists(made))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return made
}

async function writeTexts(draft: string): Promise<void> {
  const manifest = await readFile(join(draft, dashManifest), 'utf8')
  const subtitled = manifest.replace('</Period>', `${subtitleAdaptations}</Period>`)
  for (const [file, text] of [...writtenFiles, [subtitledDashManifest, subtitled] as const]) {
    await mkdir(dirname(join(draft, file)), { recursive: true })
    await writeFile(join(draft, file), text)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
