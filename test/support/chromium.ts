import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where a Chromium is; without one it is installed where that is possible, else it is said how. */
export async function ensureChromium(): Promise<string> {
  const found = await find()
  if (found !== undefined) return found
  const isDebian = (await isExecutable('/usr/bin/apt-get')) && process.getuid?.() === 0
  if (isDebian) await install()
  const installed = isDebian ? await find() : undefined
  if (installed === undefined)
    throw new Error(
      'The tests of the pages need Chromium: install it (apt-get install chromium) or name it in CHROMIUM_PATH.',
    )
  return installed
}

async function find(): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const named = process.env['CHROMIUM_PATH']
  const places = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  for (const place of named ? [named] : places) if (await isExecutable(place)) return place
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function install(): Promise<void> {
  const run = (...args: string[]) =>
    promisify(execFile)('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 600_000,
      maxBuffer: 64 * 1024 * 1024,
    })
  try {
    await run('update')
    await run('install', '-y', '--no-install-recommends', 'chromium')
  } catch {
    // What is missing then is said by the caller.
  }
}
