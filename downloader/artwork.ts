import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

export type ArtworkOptions = {
  readonly ffmpeg: string
  readonly environment: Readonly<Record<string, string>>
  readonly directory: string
  readonly signal: AbortSignal
  /** The address the site names, when it may be asked. */
  readonly thumbnail: string | undefined
  readonly media: string
  readonly durationSeconds: number | undefined
}

const largest = 10 * 1024 * 1024
const timeoutMs = 15_000

/** Makes a JPEG: the site's own picture, else a frame of the film. Undefined when neither can be had. */
export async function makeArtwork(options: ArtworkOptions): Promise<string | undefined> {
  const file = join(options.directory, 'artwork.jpg')
  const source = options.thumbnail && (await fetchPicture(options.thumbnail, options))
  if (source && (await toJpeg([], source, file, options))) return file
  const seconds = Math.min(60, (options.durationSeconds ?? 0) * 0.1)
  return (await toJpeg(['-ss', String(seconds)], options.media, file, options)) ? file : undefined
}

async function fetchPicture(address: string, options: ArtworkOptions): Promise<string | undefined> {
  try {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)])
    // A redirect could lead into the home network.
    const response = await fetch(address, { signal, redirect: 'error' })
    if (!response.ok || !response.body) return undefined
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body) {
      bytes += chunk.length
      if (bytes > largest) return undefined
      chunks.push(chunk)
    }
    const file = join(options.directory, 'artwork.source')
    await writeFile(file, Buffer.concat(chunks))
    return file
  } catch {
    return undefined
  }
}

async function toJpeg(
  seek: readonly string[],
  input: string,
  output: string,
  { ffmpeg, environment, signal }: ArtworkOptions,
): Promise<boolean> {
  const { failed } = await execa(
    ffmpeg,
    [
      ...'-v error -nostdin -y -protocol_whitelist file'.split(' '),
      ...seek,
      '-i',
      `file:${input}`,
      ...'-frames:v 1 -vf scale=w=min(1280\\,iw):h=-2 -q:v 3 -f image2'.split(' '),
      `file:${output}`,
    ],
    {
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: timeoutMs,
      killDescendants: true,
      cancelSignal: signal,
      forceKillAfterDelay: 1000,
    },
  )
  return !failed
}

/** A page must not make the downloader ask addresses of its choosing: only the site's own picture hosts are. */
export function askableThumbnail(
  thumbnail: string | undefined,
  pageUrl: string,
  allowedHosts: readonly string[],
): string | undefined {
  if (thumbnail === undefined || !URL.canParse(thumbnail)) return undefined
  const url = new URL(thumbnail)
  const page = new URL(pageUrl)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  const isSitesOwn = url.host === page.host
  const isYoutubes = url.protocol === 'https:' && url.port === '' && /^i\d?\.ytimg\.com$/.test(url.hostname)
  return isSitesOwn || isYoutubes || allowedHosts.includes(url.host) ? url.href : undefined
}
