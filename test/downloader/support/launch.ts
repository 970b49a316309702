import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inject } from 'vitest'
import type { ScriptedWorker } from './scripted-worker.ts'

const root = resolve(import.meta.dirname, '../../..')

export type Launched = {
  readonly child: ChildProcess
  readonly log: readonly string[]
  readonly ended: Promise<number | null>
}

/** Starts the downloader as its operator would. */
export function launch(
  worker: Pick<ScriptedWorker, 'url' | 'token'>,
  library: string,
  env: Readonly<Record<string, string>> = {},
): Launched {
  const tools = inject('tools')
  const child = spawn(process.execPath, [join(root, 'downloader/main.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LINK_URL: worker.url,
      DOWNLOADER_TOKEN: worker.token,
      DOWNLOADER_ID: 'under-test',
      LIBRARY_DIR: library,
      PLEX_LIBRARY_PATH: '/plex/videos',
      RESERVE_BYTES: '1000000',
      HEALTH_PORT: '0',
      YT_DLP_PATH: tools.ytDlp,
      FFMPEG_PATH: tools.ffmpeg,
      FFPROBE_PATH: tools.ffprobe,
      ...env,
    },
  })
  const log: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => log.push(...chunk.toString().split('\n').filter(Boolean)))
  const ended = new Promise<number | null>((done) => {
    child.once('exit', done)
  })
  return { child, log, ended }
}

export async function temporaryLibrary(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'medianest-library-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Everything in the library but the working folder, as relative paths. */
export async function filesIn(library: string): Promise<string[]> {
  const entries = await readdir(library, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(library.length + 1))
    .filter((path) => !path.startsWith('.medianest/'))
    .sort()
}

/** Processes at work anywhere under a folder. */
export async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: number[] = []
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (cwd.startsWith(`${folder}/`)) found.push(pid)
  }
  return found
}

/** Waits until something is so. */
export async function eventually(check: () => Promise<boolean> | boolean, timeoutMs = 5000): Promise<void> {
  const until = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > until) throw new Error('it never came to be')
    await new Promise((done) => {
      setTimeout(done, 20)
    })
  }
}
