import { sendError, sendJpeg } from './answers.ts'
import { visibleCollection } from './collections.ts'
import { drawPoster } from './poster.ts'
import { visibleItem, visibleSection, type Call, type Route } from './world.ts'

const artwork = /^\/library\/metadata\/(\d+)\/(thumb|art|banner|poster|clearLogo|theme)\/\d+$/
const collectionArt = /^\/library\/(?:collections|metadata)\/(\d+)\/(?:composite|thumb|art)\/\d+$/
const sectionArt = /^\/library\/sections\/(\d+)\/composite\/\d+$/
const resource = /^\/:\/resources\/([\w-]+)\.(?:jpg|png)$/

export const photoRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/photo\/:\/transcode$/, handle: transcodePhoto },
  ...[artwork, collectionArt, sectionArt, resource].map(
    (pattern): Route => ({ method: 'GET', pattern, handle: showPicture }),
  ),
]

// Drawing costs some milliseconds, and one page shows the same posters again and again.
const drawn = new Map<string, Buffer>()

function draw(text: string, width: number, height: number): Buffer {
  const name = `${width}x${height} ${text}`
  const image = drawn.get(name) ?? drawPoster(text, width, height)
  if (drawn.size > 500) drawn.clear()
  drawn.set(name, image)
  return image
}

function transcodePhoto(call: Call): void {
  const { exchange, query, world } = call
  const url = query.get('url') ?? ''
  const [width, height] = [side(query.get('width')), side(query.get('height'))]
  if (!width || !height) return sendError(exchange, 400)
  if (/^[a-z]+:/i.test(url)) {
    // A real server fetches any address it is given; this one only remembers that it was asked to.
    world.fetchedAddresses.push(url)
    return sendJpeg(exchange, draw('fetched from elsewhere', width, height))
  }
  const text = subject(call, url)
  if (text === undefined) sendError(exchange, 404)
  else sendJpeg(exchange, draw(text, width, height))
}

/** The picture itself, unscaled. */
function showPicture(call: Call): void {
  const text = subject(call, call.exchange.path)
  if (text === undefined) sendError(call.exchange, 404)
  else sendJpeg(call.exchange, draw(text, 600, 900))
}

/** What a picture's path shows, when the caller may see it. */
function subject(call: Call, url: string): string | undefined {
  const path = url.split('?')[0] ?? ''
  const [, ratingKey, kind] = artwork.exec(path) ?? []
  const item = visibleItem(call, ratingKey)
  if (item) return kind === 'thumb' ? item.title : `${item.title} ${kind}`
  return (
    visibleCollection(call, collectionArt.exec(path)?.[1])?.title ??
    visibleSection(call, sectionArt.exec(path)?.[1])?.title ??
    resource.exec(path)?.[1]
  )
}

function side(text: string | null): number | undefined {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 && value <= 4000 ? value : undefined
}
