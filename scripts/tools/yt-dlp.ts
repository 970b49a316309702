import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchRelease, newestVersion, releaseAsset } from '../../downloader/update/release.ts'
import { replaceFile } from '../../downloader/update/replace-file.ts'
import { debianMirror, unpackAll, withPrivateApt } from './apt.ts'
import { findPython } from './python.ts'
import { findOnPath, isExecutable, lastWords, run } from './run.ts'
import { shellQuote, writeWrapper } from './wrapper.ts'

/** YouTube refuses what older versions ask for. */
export const oldestForYouTube = '2026.06.09'

export type YtDlp = { readonly path: string; readonly version: string }
export type Log = (line: string) => void

export type YtDlpInstall = { readonly tools: string; readonly log: Log; readonly releases: string }

const unpacked = 'unpacked'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

export async function probeYtDlp(path: string | undefined): Promise<YtDlp | undefined> {
  if (!path || !(await isExecutable(path))) return undefined
  const { ok, stdout } = await run(path, ['--ignore-config', '--version'])
  const version = /^\d{4}\.\d{2}\.\d{2}\S*/.exec(stdout.trim())?.[0]
  return ok && version ? { path, version } : undefined
}

/** Versions are dates with leading zeros, so they sort as text. */
export function servesYouTube({ version }: YtDlp): boolean {
  return version.slice(0, oldestForYouTube.length) >= oldestForYouTube
}

/** The first yt-dlp that is recent enough, the system's before ours, else the newer of the two. */
export async function findYtDlp(tools: string): Promise<YtDlp | undefined> {
  const system = await probeYtDlp(await findOnPath('yt-dlp'))
  if (system && servesYouTube(system)) return system
  const own = await probeYtDlp(join(tools, 'bin', 'yt-dlp'))
  if (system && own) return system.version > own.version ? system : own
  return system ?? own
}

/** Installs yt-dlp into the tools folder; answers why it could not. */
export async function installYtDlp(install: YtDlpInstall): Promise<string | undefined> {
  const python = await findPython()
  const refusals: string[] = []
  for (const attempt of [fromRelease, fromDebian]) {
    const refusal = await attempt(install, python).catch((error: unknown) => reasonOf(error))
    if (refusal === undefined) return undefined
    install.log(refusal)
    refusals.push(refusal)
  }
  const wanted = python
    ? `Install yt-dlp ${oldestForYouTube} or newer (pipx install "yt-dlp[default]")`
    : `Install Python 3.11 or newer (Debian: apt-get install python3) and yt-dlp ${oldestForYouTube} or newer`
  return `${wanted} and put it on the PATH, or name it in YT_DLP_PATH.`
}

async function fromRelease(install: YtDlpInstall, python: string | undefined): Promise<string | undefined> {
  const asset = releaseAsset(python !== undefined, process.platform, process.arch)
  if (!asset) return 'yt-dlp publishes no program for this machine that runs without Python 3.11'
  const file = await downloadNewest(install, asset).catch((error: unknown) => {
    throw new Error(`yt-dlp's own release was not installed: ${reasonOf(error)}`)
  })
  const program = `"$root/yt-dlp/${file}"`
  return finish(
    install,
    python ? [...choosePython(python), `exec "$python" ${program} "$@"`] : [`exec ${program} "$@"`],
  )
}

async function downloadNewest({ releases, tools }: YtDlpInstall, asset: string): Promise<string> {
  const version = await newestVersion(releases)
  const bytes = await fetchRelease(releases, version, asset)
  const folder = join(tools, 'yt-dlp')
  const name = `${asset}-${version}`
  await mkdir(folder, { recursive: true })
  await replaceFile(join(folder, name), bytes, 0o755)
  return name
}

async function fromDebian(install: YtDlpInstall, python: string | undefined): Promise<string | undefined> {
  if (!python) return "Debian's yt-dlp needs Python 3.11 or newer, and there is none"
  const mirror = await debianMirror()
  if (!mirror) return 'This system knows no mirror of Debian'
  const backports = `deb [signed-by=${keyring}] ${mirror} trixie-backports main`
  const folder = join(install.tools, 'apt-backports')
  const refusal = await withPrivateApt({ folder, sources: [backports] }, async (apt) => {
    const updated = await apt.update()
    if (!updated.ok) return `Debian's package lists are out of reach: ${lastWords(updated)}`
    const got = await apt.get(['download', 'yt-dlp'], apt.archives)
    if (!got.ok) return `Debian's yt-dlp could not be downloaded: ${lastWords(got)}`
    const failed = await unpackAll(apt.archives, join(install.tools, 'yt-dlp', 'debian'))
    return failed ? `Debian's yt-dlp could not be unpacked: ${failed}` : unpacked
  })
  if (refusal === undefined)
    return "Debian's yt-dlp needs apt-get and dpkg-deb, which this system does not have"
  if (refusal !== unpacked) return refusal
  install.log(
    "Debian's yt-dlp comes without yt-dlp-ejs; some YouTube formats need it (pip install yt-dlp-ejs)",
  )
  return finish(install, [
    ...choosePython(python),
    'PYTHONPATH="$root/yt-dlp/debian/usr/lib/python3/dist-packages${PYTHONPATH:+:$PYTHONPATH}"',
    'export PYTHONPATH',
    // -P: a module lying in the working directory must not be imported.
    'exec "$python" -P -m yt_dlp "$@"',
  ])
}

async function finish(install: YtDlpInstall, lines: readonly string[]): Promise<string | undefined> {
  const wrapper = join(install.tools, 'bin', 'yt-dlp')
  await writeWrapper(wrapper, lines)
  const probed = await probeYtDlp(wrapper)
  if (!probed) return 'the installed yt-dlp does not run'
  if (!servesYouTube(probed)) return `the yt-dlp offered is ${probed.version}, older than ${oldestForYouTube}`
  install.log(`yt-dlp ${probed.version} installed`)
  return undefined
}

/** The interpreter found now, or whichever is on the PATH should that one go away. */
function choosePython(python: string): string[] {
  return [`python=${shellQuote(python)}`, '[ -x "$python" ] || python=python3']
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
