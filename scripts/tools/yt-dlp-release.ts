import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Which file of a release runs here: the zipapp with a Python, a self-contained program without. */
export function releaseAsset(hasPython: boolean, platform: string, arch: string): string | undefined {
  if (hasPython) return 'yt-dlp'
  if (platform === 'darwin') return 'yt-dlp_macos'
  if (platform !== 'linux') return undefined
  if (arch === 'x64') return 'yt-dlp_linux'
  return arch === 'arm64' ? 'yt-dlp_linux_aarch64' : undefined
}

/** The checksum a `SHA2-256SUMS` file gives for a file. */
export function checksumOf(sums: string, asset: string): string | undefined {
  for (const line of sums.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/)
    if (name === asset && sum && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase()
  }
  return undefined
}

/** Downloads the newest release into `folder` once its bytes match the published checksum; answers the file. */
export async function downloadRelease(releases: string, asset: string, folder: string): Promise<string> {
  // The tag is settled first: a release published between two "latest" downloads would not match its sums.
  const latest = await fetch(`${releases}/latest`, { redirect: 'manual', signal: AbortSignal.timeout(4_000) })
  const version = /\/tag\/([\w.-]+)$/.exec(latest.headers.get('location') ?? '')?.[1]
  if (!version) throw new Error(`the release page answered ${latest.status} without naming a release`)
  const sums = await download(`${releases}/download/${version}/SHA2-256SUMS`, 10_000)
  const expected = checksumOf(sums.toString('utf8'), asset)
  if (!expected) throw new Error(`release ${version} publishes no checksum for ${asset}`)
  const bytes = await download(`${releases}/download/${version}/${asset}`, 120_000)
  const actual = createHash('sha256').update(bytes).digest('hex')
  if (actual !== expected) throw new Error(`${asset} ${version} does not match its published checksum`)
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${asset}-${version}`)
  await writeFile(`${file}.part`, bytes, { mode: 0o755 })
  await rename(`${file}.part`, file)
  return file
}

async function download(url: string, timeoutMs: number): Promise<Buffer> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  if (!answer.ok) throw new Error(`${new URL(url).pathname} answered ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}
