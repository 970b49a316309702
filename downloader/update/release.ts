import { createHash } from 'node:crypto'

export const officialReleases = 'https://github.com/yt-dlp/yt-dlp/releases'

/** Why a release could not be had. */
export type ReleaseProblem = 'unreachable' | 'no-release' | 'no-checksum' | 'checksum-mismatch'

export class ReleaseUnusable extends Error {
  override readonly name = 'ReleaseUnusable'
  readonly problem: ReleaseProblem

  constructor(problem: ReleaseProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}

const mebibyte = 1024 ** 2
const lookTimeoutMs = 5_000
const sumsTimeoutMs = 10_000
const programTimeoutMs = 180_000

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

/** The version that is newest now. It is settled before anything is fetched, as the next may appear meanwhile. */
export async function newestVersion(releases: string): Promise<string> {
  const answer = await ask(`${releases}/latest`, lookTimeoutMs, 'manual')
  await answer.body?.cancel()
  const version = /\/tag\/(\d{4}\.\d{2}\.\d{2}(?:\.\d+)?)$/.exec(answer.headers.get('location') ?? '')?.[1]
  if (version) return version
  throw new ReleaseUnusable(
    'no-release',
    `the release page answered ${answer.status} without naming a release`,
  )
}

/** The bytes of a release's program, once they match the checksum that is published with it. */
export async function fetchRelease(releases: string, version: string, asset: string): Promise<Buffer> {
  const folder = `${releases}/download/${version}`
  const sums = await download(`${folder}/SHA2-256SUMS`, mebibyte, sumsTimeoutMs)
  const expected = checksumOf(sums.toString('utf8'), asset)
  if (!expected)
    throw new ReleaseUnusable('no-checksum', `release ${version} publishes no checksum for ${asset}`)
  const bytes = await download(`${folder}/${asset}`, 128 * mebibyte, programTimeoutMs)
  const actual = createHash('sha256').update(bytes).digest('hex')
  if (actual === expected) return bytes
  throw new ReleaseUnusable('checksum-mismatch', `${asset} ${version} does not match its published checksum`)
}

async function ask(url: string, timeoutMs: number, redirect: 'manual' | 'follow'): Promise<Response> {
  return fetch(url, { redirect, signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    throw new ReleaseUnusable('unreachable', `${new URL(url).host} cannot be reached`, { cause })
  })
}

async function download(url: string, mostBytes: number, timeoutMs: number): Promise<Buffer> {
  const answer = await ask(url, timeoutMs, 'follow')
  const { pathname } = new URL(url)
  if (!answer.ok || !answer.body) {
    await answer.body?.cancel()
    throw new ReleaseUnusable('no-release', `${pathname} answered ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of answer.body) {
      size += chunk.byteLength
      if (size > mostBytes) throw new ReleaseUnusable('no-release', `${pathname} is too large`)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ReleaseUnusable) throw error
    throw new ReleaseUnusable('unreachable', `${pathname} broke off`, { cause: error })
  }
  return Buffer.concat(chunks)
}
