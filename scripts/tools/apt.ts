import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath, lastWords, type Ran, run } from './run.ts'

/** An apt that keeps its lists and packages in a folder of ours, so it needs no root and changes nothing of the system's. */
export type PrivateApt = {
  readonly update: () => Promise<Ran>
  readonly get: (args: readonly string[], cwd?: string) => Promise<Ran>
  readonly archives: string
}

const downloadMs = 5 * 60_000

export type PrivateAptOptions = {
  /** Emptied before use, removed after it. */
  readonly folder: string
  /** One-line entries of our own; the system's sources when there are none. */
  readonly sources?: readonly string[]
}

/** Does `work` with a private apt; its lists and packages are gone afterwards. Undefined on systems without apt. */
export async function withPrivateApt<T>(
  options: PrivateAptOptions,
  work: (apt: PrivateApt) => Promise<T>,
): Promise<T | undefined> {
  if (!(await findOnPath('apt-get')) || !(await findOnPath('dpkg-deb'))) return undefined
  await rm(options.folder, { recursive: true, force: true })
  try {
    return await work(await privateApt(options))
  } finally {
    await rm(options.folder, { recursive: true, force: true })
  }
}

async function privateApt({ folder, sources = [] }: PrivateAptOptions): Promise<PrivateApt> {
  const lists = join(folder, 'lists')
  const cache = join(folder, 'cache')
  const archives = join(cache, 'archives')
  await mkdir(join(lists, 'partial'), { recursive: true })
  await mkdir(join(archives, 'partial'), { recursive: true })
  const settings = [
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
  ]
  if (sources.length > 0) {
    const list = join(folder, 'sources.list')
    await writeFile(list, `${sources.join('\n')}\n`)
    settings.push(`Dir::Etc::sourcelist=${list}`, 'Dir::Etc::sourceparts=/dev/null')
  }
  const get = (args: readonly string[], cwd?: string): Promise<Ran> =>
    run('apt-get', [...settings.flatMap((setting) => ['-o', setting]), '-q', ...args], {
      timeoutMs: downloadMs,
      ...(cwd === undefined ? {} : { cwd }),
    })
  return { update: () => get(['update']), get, archives }
}

/** Where this system gets Debian's packages from; what is newer than its release comes from there as well. */
export async function debianMirror(): Promise<string | undefined> {
  if (!(await findOnPath('apt-get'))) return undefined
  // Only says what it would fetch, so it needs neither root nor lists that are there already.
  const { stdout } = await run('apt-get', ['-o', 'Debug::NoLocking=1', 'update', '--print-uris'])
  return /^'(\S+\/debian)\/dists\//m.exec(stdout)?.[1]
}

/** Unpacks every package of a folder over one tree. Answers what went wrong, if anything did. */
export async function unpackAll(folder: string, into: string): Promise<string | undefined> {
  const packages = (await readdir(folder)).filter((name) => name.endsWith('.deb')).sort()
  if (packages.length === 0) return 'nothing was downloaded'
  await rm(into, { recursive: true, force: true })
  await mkdir(into, { recursive: true })
  for (const name of packages) {
    const ran = await run('dpkg-deb', ['-x', join(folder, name), into])
    if (!ran.ok) return lastWords(ran)
  }
  return undefined
}
