import { expect } from 'vitest'

import type { Session } from '../support/client.ts'
import { readItems } from './support.ts'

/** Width and height, as the picture's own first frame header has them. */
export function sizeOf(jpeg: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  expect(view.getUint16(0), 'begins as a JPEG does').toBe(0xffd8)
  for (let at = 2; at < view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at)
    if (marker >= 0xffc0 && marker <= 0xffc2) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    }
  }
  throw new Error('no frame in this picture')
}

export type Pictures = { readonly poster: string; readonly art: string }

/** What a user's films look like, one after the other, so that a test can have pictures nobody asked for yet. */
export async function picturesOf(session: Session): Promise<() => Pictures> {
  const { data } = await readItems('/libraries/1/items?limit=100', session)
  const pictures = data.flatMap(({ images }) =>
    images?.poster && images.art ? [{ poster: images.poster, art: images.art }] : [],
  )
  return () => {
    const next = pictures.shift()
    if (!next) throw new Error('there are no more films')
    return next
  }
}

/** The parts of an address, so that a test can change one of them. */
export function partsOf(address: string) {
  const match = /^\/api\/plex\/images\/([^/]+)\/([^/]+)\/(w\d+)(\/.+)$/.exec(address)
  const [, scope = '', signature = '', size = '', path = ''] = match ?? []
  return { scope, signature, size, path }
}
export type Parts = ReturnType<typeof partsOf>

export const addressOf = ({ scope, signature, size, path }: Parts) =>
  `/api/plex/images/${scope}/${signature}/${size}${path}`
