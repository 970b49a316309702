import { readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { unpackAll, withPrivateApt } from './apt.ts'
import { findOnPath, isExecutable, lastWords, run } from './run.ts'
import { shellQuote, writeWrapper } from './wrapper.ts'
import type { Log } from './yt-dlp.ts'

export type Ffmpeg = { readonly ffmpeg: string; readonly ffprobe: string; readonly version: string }

const unpacked = 'unpacked'
const programs = ['ffmpeg', 'ffprobe'] as const
const advice =
  'Install ffmpeg (Debian: apt-get install ffmpeg) so that ffmpeg and ffprobe are on the PATH, or name it in FFMPEG_PATH.'

/** ffprobe is looked for beside ffmpeg first: the two should be of one build. */
export async function probeFfmpeg(ffmpeg: string | undefined): Promise<Ffmpeg | undefined> {
  if (!ffmpeg || !(await isExecutable(ffmpeg))) return undefined
  const beside = join(dirname(ffmpeg), 'ffprobe')
  const ffprobe = (await isExecutable(beside)) ? beside : await findOnPath('ffprobe')
  if (!ffprobe) return undefined
  const [first, second] = await Promise.all([run(ffmpeg, ['-version']), run(ffprobe, ['-version'])])
  const version = /^ffmpeg version (\S+)/.exec(first.stdout)?.[1]
  return first.ok && second.ok && version ? { ffmpeg, ffprobe, version } : undefined
}

export async function findFfmpeg(tools: string): Promise<Ffmpeg | undefined> {
  return (await probeFfmpeg(await findOnPath('ffmpeg'))) ?? (await probeFfmpeg(join(tools, 'bin', 'ffmpeg')))
}

/** Installs ffmpeg and ffprobe; answers why it could not. */
export async function installFfmpeg(tools: string, log: Log): Promise<string | undefined> {
  if (!(await findOnPath('apt-get'))) return advice
  if (process.getuid?.() === 0) {
    const refusal = await fromSystem(log)
    if (refusal === undefined) return undefined
    log(refusal)
  }
  const refusal = await intoTools(tools, log)
  if (refusal === undefined) return undefined
  log(refusal)
  return advice
}

async function fromSystem(log: Log): Promise<string | undefined> {
  log('installing ffmpeg with apt-get')
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, timeoutMs: 10 * 60_000 }
  const waiting = ['-q', '-o', 'DPkg::Lock::Timeout=120']
  const install = [...waiting, 'install', '-y', '--no-install-recommends', 'ffmpeg']
  if ((await run('apt-get', install, options)).ok) return undefined
  // One source out of reach fails the update, yet the others may well hold the package.
  await run('apt-get', [...waiting, 'update'], options)
  const again = await run('apt-get', install, options)
  return again.ok ? undefined : `apt-get could not install ffmpeg: ${lastWords(again)}`
}

async function intoTools(tools: string, log: Log): Promise<string | undefined> {
  log('downloading ffmpeg and its libraries, to be unpacked without root')
  const tree = join(tools, 'ffmpeg')
  const refusal = await withPrivateApt({ folder: join(tools, 'apt-system') }, async (apt) => {
    await apt.update()
    // apt resolves against what the system has installed, so only the missing libraries come along.
    const got = await apt.get(['install', '-y', '--download-only', '--no-install-recommends', 'ffmpeg'])
    if (!got.ok) return `ffmpeg's packages could not be downloaded: ${lastWords(got)}`
    const failed = await unpackAll(apt.archives, tree)
    return failed ? `ffmpeg's packages could not be unpacked: ${failed}` : unpacked
  })
  if (refusal !== unpacked) return refusal ?? 'ffmpeg needs apt-get and dpkg-deb to be unpacked here'
  const folders = await libraryFolders(tree)
  const search = folders.map((folder) => `$root/${relative(tools, folder)}`).join(':')
  for (const program of programs) {
    await writeWrapper(join(tools, 'bin', program), [
      `LD_LIBRARY_PATH="${search}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
      'export LD_LIBRARY_PATH',
      `exec "$root"/${shellQuote(`ffmpeg/usr/bin/${program}`)} "$@"`,
    ])
  }
  const probed = await probeFfmpeg(join(tools, 'bin', 'ffmpeg'))
  if (!probed) return 'the unpacked ffmpeg does not run'
  log(`ffmpeg ${probed.version} unpacked`)
  return undefined
}

/** Every folder that holds a shared library: some packages keep theirs one level down and link it at installation. */
async function libraryFolders(tree: string): Promise<string[]> {
  const found = new Set<string>()
  for (const top of ['lib', 'usr/lib']) {
    const entries = await readdir(join(tree, top), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (/\.so(\.|$)/.test(entry.name)) found.add(entry.parentPath)
    }
  }
  return [...found].sort((a, b) => a.length - b.length || a.localeCompare(b))
}
