/** A video as we know it: `id` is the same for every address of it, `url` is the address we use. */
export type Video = { readonly id: string; readonly url: string }

export const youtubeHosts = [
  'youtube.com',
  'www.youtube.com',
  'm.youtube.com',
  'music.youtube.com',
  'youtu.be',
] as const

const idForm = /^[A-Za-z0-9_-]{11}$/
const pathForms = /^\/(?:shorts|live|embed|v)\/([^/]+)\/?$/

/**
 * Reads the address of one video. YouTube's are recognised by host and by the form of the id, others only when the
 * operator allows their `host[:port]`. `undefined`: refused.
 */
export function parseVideoUrl(text: string, allowedHosts: readonly string[]): Video | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  if (isYoutube(url)) {
    const id = youtubeId(url)
    return id === undefined ? undefined : { id, url: `https://www.youtube.com/watch?v=${id}` }
  }
  if (!allowedHosts.includes(url.host)) return undefined
  url.hash = ''
  return { id: `${url.host}${url.pathname}${url.search}`, url: url.href }
}

function isYoutube(url: URL): boolean {
  return url.port === '' && (youtubeHosts as readonly string[]).includes(url.hostname)
}

function youtubeId(url: URL): string | undefined {
  const path = url.pathname
  const id =
    url.hostname === 'youtu.be'
      ? /^\/([^/]+)\/?$/.exec(path)?.[1]
      : path === '/watch' || path === '/watch/'
        ? (url.searchParams.get('v') ?? undefined)
        : pathForms.exec(path)?.[1]
  return id !== undefined && idForm.test(id) ? id : undefined
}
