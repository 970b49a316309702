import { randomUUID } from 'node:crypto'
import type { Catalogue, Item } from './catalogue.ts'
import { drawPoster } from './poster.ts'

export type Webhooks = ReturnType<typeof createWebhooks>

export type WebhookOptions = {
  readonly catalogue: Catalogue
  readonly machineIdentifier: string
  readonly friendlyName: string
}

/** Events which come with a picture. */
const pictured = new Set(['library.new', 'library.on.deck', 'media.play', 'media.rate', 'playback.started'])

/** Plex's own webhooks: posted once, as a form, without any signature, and never tried again. */
export function createWebhooks(options: WebhookOptions) {
  let urls: readonly string[] = []
  const stopped = new AbortController()

  return {
    urls: () => urls,
    setUrls: (next: readonly string[]) => {
      urls = next
    },
    stop: () => stopped.abort(),
    /** Posts an event to every address; the status each answered, 0 for none. */
    send: (event: string, item?: Item): Promise<number[]> => {
      const picture = item && pictured.has(event) ? drawPoster(item.title, 240, 360) : undefined
      const { body, boundary } = multipart(JSON.stringify(payload(options, event, item)), picture)
      const post = async (url: string) => {
        const answer = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': `multipart/form-data; boundary=${boundary}`,
            'user-agent': 'PlexMediaServer/1.43.3',
          },
          body,
          signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(10_000)]),
        })
        await answer.body?.cancel()
        return answer.status
      }
      return Promise.all(urls.map((url) => post(url).catch(() => 0)))
    },
  }
}

function payload({ catalogue, machineIdentifier, friendlyName }: WebhookOptions, event: string, item?: Item) {
  const playing = { local: true, publicAddress: '203.0.113.7', title: 'Living Room', uuid: 'player-1' }
  return {
    event,
    user: true,
    owner: true,
    // The owner is number 1 at the server, whatever plex.tv calls the account.
    Account: { id: 1, thumb: 'https://plex.tv/users/1/avatar', title: 'owner' },
    Server: { title: friendlyName, uuid: machineIdentifier },
    ...(event.startsWith('media.') ? { Player: playing } : {}),
    ...(item ? { Metadata: metadata(catalogue, item) } : {}),
  }
}

function metadata(catalogue: Catalogue, item: Item) {
  const parent = item.parent ? catalogue.item(item.parent) : undefined
  const grandparent = parent?.parent ? catalogue.item(parent.parent) : undefined
  const section = catalogue.section(item.sectionKey)
  return {
    librarySectionType: section?.type,
    ratingKey: item.ratingKey,
    key: `/library/metadata/${item.ratingKey}`,
    guid: item.guid,
    librarySectionTitle: section?.title,
    librarySectionID: Number(item.sectionKey),
    librarySectionKey: `/library/sections/${item.sectionKey}`,
    type: item.kind,
    title: item.title,
    parentTitle: parent?.title,
    grandparentTitle: grandparent?.title,
    grandparentRatingKey: grandparent?.ratingKey,
    summary: item.summary ?? '',
    year: item.year,
    index: item.index,
    parentIndex: parent?.index,
    thumb: `/library/metadata/${item.ratingKey}/thumb/${item.updatedAt}`,
    addedAt: item.addedAt,
    updatedAt: item.updatedAt,
  }
}

function multipart(
  payload: string,
  picture: Buffer | undefined,
): { body: Buffer<ArrayBuffer>; boundary: string } {
  const boundary = `------------------------${randomUUID().replaceAll('-', '').slice(0, 16)}`
  const part = (head: string, content: Buffer | string) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]
  const body = Buffer.concat([
    ...part('name="payload"\r\nContent-Type: application/json', payload),
    ...(picture ? part('name="thumb"; filename="thumb.jpg"\r\nContent-Type: image/jpeg', picture) : []),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return { body, boundary }
}
