import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import * as z from 'zod'

const execute = promisify(execFile)

const MigrationSet = z.object({
  binding: z.string(),
  migrations: z.array(z.object({ name: z.string(), statements: z.array(z.string()) })),
})
export type MigrationSet = z.output<typeof MigrationSet>

const Settings = z.object({
  /** As wrangler hands it to Miniflare. */
  worker: z.looseObject({
    name: z.string(),
    bindings: z.record(z.string(), z.json()),
    cronTriggers: z.array(z.string()).default([]),
  }),
  migrations: z.array(MigrationSet),
})
export type WorkerSettings = z.output<typeof Settings>

export type WorkerModule = {
  readonly type: 'ESModule' | 'Text' | 'Data' | 'CompiledWasm'
  readonly path: string
}

export type WorkerBundle = WorkerSettings & {
  readonly folder: string
  /** The entry first. */
  readonly modules: readonly WorkerModule[]
}

const settingsProgram = fileURLToPath(new URL('worker-settings.ts', import.meta.url))
const settingsFile = 'settings.json'
const dayMs = 24 * 3_600_000

/** Builds the Worker the way `wrangler deploy` does and reads its bindings from wrangler.toml; unchanged sources are built once. */
export async function bundleWorker(root: string): Promise<WorkerBundle> {
  const builds = join(root, 'node_modules', '.cache', 'medianest', 'worker')
  const folder = join(builds, await fingerprint(root))
  const known = await readBundle(folder)
  if (known) {
    await utimes(folder, new Date(), new Date())
    return known
  }
  await forgetOldBuilds(builds)
  const draft = join(builds, `draft-${randomUUID()}`)
  try {
    await build(root, draft)
    // Another process may have been first with the same.
    await rename(draft, folder).catch(() => undefined)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  const bundle = await readBundle(folder)
  if (!bundle) throw new Error(`The Worker's build in ${folder} is incomplete: remove it and start again.`)
  return bundle
}

async function build(root: string, draft: string): Promise<void> {
  await mkdir(draft, { recursive: true })
  const config = join(root, 'wrangler.toml')
  const options = { cwd: root, env: quietEnvironment(join(draft, 'logs')), maxBuffer: 64 * 1024 * 1024 }
  const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
  const dryRun = [wrangler, 'deploy', '--dry-run', '--config', config, '--outdir', draft]
  const readSettings = [settingsProgram, config]
  const [settings] = await Promise.all([
    execute(process.execPath, readSettings, options),
    execute(process.execPath, dryRun, options),
  ]).catch((error: unknown) => {
    throw new Error(`The Worker does not build:\n${outputOf(error)}`, { cause: error })
  })
  await rm(join(draft, 'logs'), { recursive: true, force: true })
  await writeFile(join(draft, settingsFile), settings.stdout)
}

/** No telemetry, no look for updates, no log files outside of the build, and no variables of the caller but the needed ones. */
function quietEnvironment(logs: string): NodeJS.ProcessEnv {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'USERPROFILE',
    'APPDATA',
    'LOCALAPPDATA',
  ]
  return {
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    CI: '1',
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG: 'error',
    WRANGLER_LOG_PATH: logs,
    WRANGLER_SEND_METRICS: 'false',
  }
}

function outputOf(error: unknown): string {
  const { stderr, stdout } = z.object({ stderr: z.string(), stdout: z.string() }).safeParse(error).data ?? {}
  return stripVTControlCharacters(stderr?.trim() || stdout?.trim() || String(error))
}

/** Changes whenever anything changes that the build is made from. */
async function fingerprint(root: string): Promise<string> {
  const folders = ['src', 'migrations'].map((name) => join(root, name))
  const files = ['wrangler.toml', 'package.json', 'package-lock.json', 'tsconfig.json'].map((name) =>
    join(root, name),
  )
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    files.push(
      ...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
    )
  }
  files.push(settingsProgram)
  const hash = createHash('sha256')
  for (const file of files.toSorted()) {
    const content = await readFile(file).catch(() => Buffer.alloc(0))
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 20)
}

async function readBundle(folder: string): Promise<WorkerBundle | undefined> {
  const text = await readFile(join(folder, settingsFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const settings = Settings.safeParse(JSON.parse(text))
  if (!settings.success) return undefined
  const names = await readdir(folder)
  const modules = names.flatMap((name): WorkerModule[] => {
    const type = moduleTypes[extname(name)]
    return type ? [{ type, path: join(folder, name) }] : []
  })
  const scriptFirst = modules.toSorted(
    (a, b) => Number(b.type === 'ESModule') - Number(a.type === 'ESModule'),
  )
  return { ...settings.data, folder, modules: scriptFirst }
}

/** Wrangler's own rules for what an import of such a file gives. */
const moduleTypes: Readonly<Record<string, WorkerModule['type']>> = {
  '.js': 'ESModule',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
  '.bin': 'Data',
  '.wasm': 'CompiledWasm',
}

async function forgetOldBuilds(builds: string): Promise<void> {
  for (const name of await readdir(builds).catch(() => [])) {
    const folder = join(builds, name)
    const facts = await stat(folder).catch(() => undefined)
    if (facts && Date.now() - facts.mtimeMs > dayMs) await rm(folder, { recursive: true, force: true })
  }
}
