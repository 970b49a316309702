import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from 'miniflare'
import * as z from 'zod'

import type { BenchSystem } from './bench-system.ts'

type Bare = { readonly url: string; readonly stop: () => Promise<void> }

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = fileURLToPath(new URL('bare-worker.ts', import.meta.url))

/** Runs a Worker that does nothing but answer with this body, built and served as the system's own is. */
export async function startBare({ worker }: BenchSystem, body: string): Promise<Bare> {
  const compatibilityDate = z.string().parse(worker.bundle.worker['compatibilityDate'])
  const folder = await mkdtemp(join(tmpdir(), 'medianest-bare-'))
  try {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        log: new NoOpLog(),
        logRequests: false,
        workers: [
          {
            name: 'bare',
            modules: [{ type: 'ESModule', path: await build(folder, compatibilityDate) }],
            modulesRoot: folder,
            compatibilityDate,
            bindings: { BODY: body },
            unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
          },
        ],
      }),
    )
    await miniflare.ready
    const { port } = await miniflare.unsafeGetDirectURL()
    return { url: `http://127.0.0.1:${port}`, stop: () => miniflare.dispose() }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function build(folder: string, compatibilityDate: string): Promise<string> {
  const config = join(folder, 'wrangler.json')
  const settings = { name: 'bare', main, compatibility_date: compatibilityDate, minify: true }
  await writeFile(config, JSON.stringify(settings))
  const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
  const outdir = join(folder, 'built')
  const dryRun = [wrangler, 'deploy', '--dry-run', '--config', config, '--outdir', outdir]
  const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: folder }
  await promisify(execFile)(process.execPath, dryRun, { cwd: root, env })
  return join(outdir, 'bare-worker.js')
}
