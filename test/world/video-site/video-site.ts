import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { startStandIn, type Exchange, type StandIn } from '../stand-in.ts'
import { parseServedPath } from './behaviour.ts'
import { catalogue, dashManifest, hlsManifest, type Entry, type VideoKind } from './catalogue.ts'
import { makeMedia } from './media.ts'
import { indexPage, typeOf, watchPage } from './pages.ts'
import { sendMedia } from './send-media.ts'

export type VideoSiteOptions = {
  /** Where the media is made once and found again. */
  readonly folder: string
  readonly ffmpeg: string
  readonly port?: number
}

export type Video = {
  readonly id: string
  /** The watch page. How its media is served can be said before the id (`/watch/rate=20000/slow`) or in the query. */
  readonly url: string
  readonly title: string
  readonly channel: string
  readonly seconds: number
  /** What its best version weighs on the wire. */
  readonly bytes: number
  readonly kind: VideoKind
}

export type VideoSite = StandIn & {
  readonly videos: readonly Video[]
  /** The first video of a kind. */
  readonly video: (kind: VideoKind) => Video
}

/** Starts a site of short films that yt-dlp downloads like any other. `GET /__control/videos` lists them. */
export async function startVideoSite(options: VideoSiteOptions): Promise<VideoSite> {
  const folder = await makeMedia(options.folder, options.ffmpeg)
  const sizes = await sizesIn(folder)
  let videos: readonly Video[] = []
  const standIn = await startStandIn({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => answer(exchange, folder, sizes),
    control: { videos: () => videos },
  })
  videos = catalogue.map((entry) => ({
    id: entry.id,
    url: `${standIn.url}/watch/${entry.id}`,
    title: entry.title,
    channel: entry.channel,
    seconds: entry.seconds,
    bytes: bytesOf(entry, sizes),
    kind: entry.kind,
  }))
  return { ...standIn, videos, video: (kind) => firstOf(videos, kind) }
}

function firstOf(videos: readonly Video[], kind: VideoKind): Video {
  const found = videos.find((video) => video.kind === kind)
  if (!found) throw new Error(`no ${kind} video`)
  return found
}

type Sizes = ReadonlyMap<string, number>

async function sizesIn(folder: string): Promise<Sizes> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const sized = files.map(
    async (file): Promise<[string, number]> => [
      relative(folder, file).split(sep).join('/'),
      (await stat(file)).size,
    ],
  )
  return new Map(await Promise.all(sized))
}

/** The largest file; of a segmented film, the tallest picture's segments and the sound's. */
function bytesOf({ kind, files }: Entry, sizes: Sizes): number {
  const sum = (prefix: string): number =>
    [...sizes].reduce((total, [file, size]) => (file.startsWith(prefix) ? total + size : total), 0)
  if (kind === 'hls') return sum(`${dirname(hlsManifest)}/2-`) + sum(`${dirname(hlsManifest)}/3-`)
  if (kind === 'dash') return sum(`${dirname(dashManifest)}/2-`) + sum(`${dirname(dashManifest)}/3-`)
  return Math.max(...files.map((file) => sizes.get(file) ?? 0))
}

async function answer(exchange: Exchange, folder: string, sizes: Sizes): Promise<void> {
  const { path, query } = exchange
  if (path.startsWith('/watch/')) {
    const { file: id, behaviour } = parseServedPath(path.slice('/watch/'.length), query)
    const entry = catalogue.find((known) => known.id === id)
    const base = `http://${exchange.request.headers.host ?? '127.0.0.1'}`
    if (entry) return sendHtml(exchange, 200, watchPage(entry, { behaviour, base, sizes }))
  }
  if (path === '/') return sendHtml(exchange, 200, indexPage())
  if (path.startsWith('/media/')) {
    const { file, behaviour } = parseServedPath(path.slice('/media/'.length), query)
    if (sizes.has(file)) {
      return sendMedia(exchange, { bytes: await readFile(join(folder, file)), type: typeOf(file), behaviour })
    }
  }
  sendHtml(exchange, 404, '<!doctype html><title>Not found</title><h1>Not found</h1>')
}

function sendHtml({ response }: Exchange, status: number, html: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  response.end(html)
}
