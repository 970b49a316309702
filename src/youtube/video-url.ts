import { digestOf } from './digest.ts'

/** A video as we know it: `id` is the same for every address of it, `url` is the address we use. */
export type Video = { readonly id: string; readonly url: string }

/** A playlist, likewise. */
export type PlaylistAddress = { readonly id: string; readonly url: string }

export const youtubeHosts = [
  'youtube.com',
  'www.youtube.com',
  'm.youtube.com',
  'music.youtube.com',
  'youtu.be',
] as const

const idForm = /^[A-Za-z0-9_-]{11}$/
const listForm = /^[A-Za-z0-9_-]{2,64}$/
/** The URL parser takes these out or turns them round; an address is one as it stands, or none. */
const notInAddress = /[\s\\\p{Cc}]/u
const maxIdLength = 64
/** Two words stand where an id does, are as long as one, and name no video. */
const pathForms = /^\/(?:shorts|live|embed|v)\/(?!videoseries|live_stream)([^/]+)\/?$/
const listForms = /^\/(?:playlist|embed\/videoseries)\/?$/

/**
 * Reads the address of one video. YouTube's are recognised by host and by the form of the id, others only when the
 * operator allows their `host[:port]`. `undefined`: refused.
 */
export function parseVideoUrl(text: string, allowedHosts: readonly string[]): Video | undefined {
  const url = parseAddress(text)
  if (!url) return undefined
  if (!isYoutube(url)) return elsewhere(url, allowedHosts)
  const id = youtubeId(url)
  return id === undefined ? undefined : { id, url: `https://www.youtube.com/watch?v=${id}` }
}

/** Reads the address of a playlist, or of a video that is shown as part of one. */
export function parsePlaylistUrl(text: string, allowedHosts: readonly string[]): PlaylistAddress | undefined {
  const url = parseAddress(text)
  if (!url) return undefined
  if (!isYoutube(url)) return elsewhere(url, allowedHosts)
  const id = url.searchParams.get('list') ?? ''
  const isShown = listForms.test(url.pathname) || youtubeId(url) !== undefined
  return isShown && listForm.test(id) ? { id, url: `https://www.youtube.com/playlist?list=${id}` } : undefined
}

function parseAddress(text: string): URL | undefined {
  const url = notInAddress.test(text) ? undefined : URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  return url
}

function elsewhere(url: URL, allowedHosts: readonly string[]): Video | undefined {
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

/** The video under the id that is kept of it. */
export const shortVideo = async ({ id, url }: Video): Promise<Video> => ({ id: await shortId(id), url })

/** An id that fits where ids go: a long one is cut short and ends in its digest. */
export async function shortId(id: string): Promise<string> {
  if (id.length <= maxIdLength) return id
  const ending = (await digestOf(id)).slice(0, 32)
  return `${id.slice(0, maxIdLength - ending.length)}${ending}`
}
