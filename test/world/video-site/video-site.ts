import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { startStandIn, type Exchange, type StandIn } from '../stand-in.ts'
import { mediaPath, parseServedPath, settingsPath, type Behaviour } from './behaviour.ts'
import {
  catalogue,
  dashManifest,
  hlsManifest,
  livePlaylist,
  liveSegments,
  type Entry,
  type VideoKind,
} from './catalogue.ts'
import { makeMedia } from './media.ts'
import { feed, indexPage, typeOf, watchPage } from './pages.ts'
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
  /** The watch page of an id, which need not be there, with its media served in a chosen way. */
  readonly watch: (id: string, behaviour?: Behaviour) => string
  /** An RSS feed of watch pages, which yt-dlp takes for a playlist. */
  readonly feed: (ids: readonly string[], behaviour?: Behaviour) => string
  readonly media: (file: string, behaviour?: Behaviour) => { readonly url: string; readonly bytes: number }
}

/** Starts a site of short films that yt-dlp downloads like any other. `GET /__control/videos` lists them. */
export async function startVideoSite(options: VideoSiteOptions): Promise<VideoSite> {
  const folder = await makeMedia(options.folder, options.ffmpeg)
  const sizes = await sizesIn(folder)
  const refused = new Map<string, number>()
  let videos: readonly Video[] = []
  const standIn = await startStandIn({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => answer(exchange, { folder, sizes, refused }),
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
  return {
    ...standIn,
    videos,
    video: (kind) => firstOf(videos, kind),
    watch: (id, behaviour = {}) => `${standIn.url}/watch/${settingsPath(behaviour)}${id}`,
    feed: (ids, behaviour = {}) => `${standIn.url}/feed/${settingsPath(behaviour)}${ids.join(',')}`,
    media: (file, behaviour = {}) => {
      const bytes = sizes.get(file)
      if (bytes === undefined) throw new Error(`no ${file}`)
      return { url: standIn.url + mediaPath(file, behaviour), bytes }
    },
  }
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
function bytesOf({ files }: Entry, sizes: Sizes): number {
  const sum = (prefix: string): number =>
    [...sizes].reduce((total, [file, size]) => (file.startsWith(prefix) ? total + size : total), 0)
  const folder = dirname(files[0] ?? '')
  const segmented = folder === dirname(hlsManifest) || folder === dirname(dashManifest)
  if (segmented) return sum(`${folder}/2-`) + sum(`${folder}/3-`)
  return Math.max(...files.map((file) => sizes.get(file) ?? 0))
}

type Site = {
  readonly folder: string
  readonly sizes: Sizes
  /** How often a path was refused, of those that are refused at first. */
  readonly refused: Map<string, number>
}

const baseOf = ({ request }: Exchange): string => `http://${request.headers.host ?? '127.0.0.1'}`
const entryOf = (id: string): Entry | undefined => catalogue.find((known) => known.id === id)

async function answer(exchange: Exchange, site: Site): Promise<void> {
  const { path } = exchange
  if (path === '/') return sendHtml(exchange, 200, indexPage())
  if (path.startsWith('/watch/') && answerWatch(exchange, site)) return
  if (path.startsWith('/feed/')) return answerFeed(exchange)
  if (path.startsWith('/media/') && (await answerMedia(exchange, site))) return
  sendHtml(exchange, 404, '<!doctype html><title>Not found</title><h1>Not found</h1>')
}

function answerWatch(exchange: Exchange, { sizes }: Site): boolean {
  const { file, behaviour } = parseServedPath(exchange.path.slice('/watch/'.length), exchange.query)
  const entry = entryOf(file)
  if (entry) sendHtml(exchange, 200, watchPage(entry, { behaviour, base: baseOf(exchange), sizes }))
  return entry !== undefined
}

function answerFeed(exchange: Exchange): void {
  const { file, behaviour } = parseServedPath(exchange.path.slice('/feed/'.length), exchange.query)
  const start = `${baseOf(exchange)}/watch/${settingsPath(behaviour)}`
  const xml = feed(new Map(file.split(',').map((id) => [start + id, entryOf(id)])))
  exchange.response.writeHead(200, { 'content-type': 'application/rss+xml; charset=utf-8' })
  exchange.response.end(xml)
}

async function answerMedia(exchange: Exchange, { folder, sizes, refused }: Site): Promise<boolean> {
  const { path, query } = exchange
  const { file, behaviour } = parseServedPath(path.slice('/media/'.length), query)
  const { lose, fails, status, ...rest } = behaviour
  if (lose !== undefined && Number(/-(\d+)\.\w+$/.exec(file)?.[1] ?? -1) === lose) return false
  const so = { ...rest, ...(status !== undefined && isRefused(refused, path, fails) ? { status } : {}) }
  if (file === livePlaylist) {
    await sendMedia(exchange, { bytes: liveNow(), type: typeOf(file), behaviour: so })
    return true
  }
  if (!sizes.has(file)) return false
  const bytes = await readFile(join(folder, file))
  await sendMedia(exchange, { bytes, type: typeOf(file), behaviour: so })
  return true
}

/** Counts, so that what is refused at first is served in the end. */
function isRefused(refused: Map<string, number>, path: string, fails = Number.POSITIVE_INFINITY): boolean {
  const before = refused.get(path) ?? 0
  refused.set(path, before + 1)
  return before < fails
}

const liveSegmentSeconds = 4

/** The last few segments of a broadcast that goes on and on. */
function liveNow(): Buffer {
  const newest = Math.floor(Date.now() / 1000 / liveSegmentSeconds)
  const numbers = liveSegments.map((_, index) => newest - liveSegments.length + 1 + index)
  const segments = numbers.flatMap((number) => [
    '#EXT-X-DISCONTINUITY',
    `#EXTINF:${liveSegmentSeconds}.000,`,
    `../${liveSegments[number % liveSegments.length]}?number=${number}`,
  ])
  const head = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${liveSegmentSeconds}`,
    `#EXT-X-MEDIA-SEQUENCE:${numbers[0]}`,
  ]
  return Buffer.from([...head, ...segments, ''].join('\n'))
}

function sendHtml({ response }: Exchange, status: number, html: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  response.end(html)
}
