import * as z from 'zod'

import { text, type Row } from './container.ts'

declare const imagePath: unique symbol
/** A picture of PMS under the version it has: what it shows never changes. */
export type ImagePath = string & { readonly [imagePath]: true }

const allowed = [
  /^\/library\/(?:metadata|collections)\/\d{1,12}\/(?:thumb|art|poster|composite|banner)\/\d{1,12}$/,
  /^\/library\/sections\/\d{1,9}\/composite\/\d{1,12}$/,
]

/**
 * The only paths that are ever asked of PMS's picture transcoder, which fetches whatever address it is given: no host,
 * no `..`, nothing encoded, no query.
 */
export const isImagePath = (path: string): path is ImagePath => allowed.some((pattern) => pattern.test(path))

/** Widths a picture can be had in; few, so that everybody's requests meet the same copies. */
export const imageSizes = ['w120', 'w240', 'w480', 'w780', 'w1280'] as const
export type ImageSize = (typeof imageSizes)[number]

export const isImageSize = (size: string): size is ImageSize => imageSizes.some((each) => each === size)

/** Height by width: posters stand, backdrops lie, banners are strips. */
const aspects = { thumb: 3 / 2, poster: 3 / 2, composite: 3 / 2, art: 9 / 16, banner: 140 / 758 }

export function pixels(
  path: ImagePath,
  size: ImageSize,
): { readonly width: number; readonly height: number } {
  const width = Number(size.slice(1))
  const [, aspect = 3 / 2] = Object.entries(aspects).find(([kind]) => path.includes(`/${kind}/`)) ?? []
  return { width, height: Math.round(width * aspect) }
}

export const ItemImages = z.object({ poster: z.string().optional(), art: z.string().optional() }).meta({
  description: `Addresses of pictures on this server, good in an <img> as they are. The size in them (${imageSizes.join(', ')}) may be replaced by another.`,
})
export type ItemImages = z.output<typeof ItemImages>

/** The pictures of a row as PMS's paths, still to be signed; those of what it belongs to where it has none itself. */
export function imagesOf(row: Row): ItemImages | undefined {
  const first = (...names: readonly string[]) => names.flatMap((name) => imagePathOf(row[name]) ?? []).at(0)
  const poster = first('thumb', 'composite', 'parentThumb', 'grandparentThumb')
  const art = first('art', 'parentArt', 'grandparentArt')
  return poster || art ? { ...(poster && { poster }), ...(art && { art }) } : undefined
}

// A collection's picture comes with the size PMS would like; ours is on the ladder.
function imagePathOf(value: unknown): ImagePath | undefined {
  const path = text(value)?.split('?', 1)[0]
  return path !== undefined && isImagePath(path) ? path : undefined
}
