import * as z from 'zod'

import { DownloaderState, DownloaderVersions, type ToDownloader } from '#contract/downloader-link.ts'

const Attachment = z.object({
  downloaderId: z.string(),
  slots: z.int(),
  versions: DownloaderVersions,
  state: DownloaderState,
  /** Said `stopping`, or has just declined: not to be offered anything before this instant, in ms. */
  unwillingUntil: z.number(),
})
export type Downloader = z.output<typeof Attachment>

type Context = Pick<DurableObjectState, 'getWebSockets' | 'getWebSocketAutoResponseTimestamp'>

/** The downloaders that are connected. What is known of each rides on its socket, and so outlives hibernation. */
export class DownloaderSockets {
  readonly #context: Context
  readonly #heardAt = new WeakMap<WebSocket, number>()

  constructor(context: Context) {
    this.#context = context
  }

  introduce(socket: WebSocket, downloader: Downloader): void {
    for (const { socket: old } of this.all().filter(
      (known) => known.socket !== socket && known.downloader.downloaderId === downloader.downloaderId,
    )) {
      old.serializeAttachment(null)
      old.close(4409, 'replaced by a newer connection')
    }
    socket.serializeAttachment(downloader)
  }

  of(socket: WebSocket): Downloader | undefined {
    return Attachment.safeParse(socket.deserializeAttachment()).data
  }

  all(): { readonly socket: WebSocket; readonly downloader: Downloader }[] {
    return this.#context.getWebSockets().flatMap((socket) => {
      const downloader = socket.readyState === WebSocket.OPEN ? this.of(socket) : undefined
      return downloader ? [{ socket, downloader }] : []
    })
  }

  heard(socket: WebSocket, now: number): void {
    this.#heardAt.set(socket, now)
  }

  /** The last sign of life of a downloader, in ms; pings are answered without waking the object and count too. */
  lastHeard(downloaderId: string): number | undefined {
    const known = this.all().find(({ downloader }) => downloader.downloaderId === downloaderId)
    if (!known) return undefined
    const pinged = this.#context.getWebSocketAutoResponseTimestamp(known.socket)?.getTime() ?? 0
    return Math.max(pinged, this.#heardAt.get(known.socket) ?? 0)
  }

  send(downloaderId: string, message: ToDownloader): void {
    const known = this.all().find(({ downloader }) => downloader.downloaderId === downloaderId)
    if (known) sendTo(known.socket, message)
  }
}

export function sendTo(socket: WebSocket, message: ToDownloader): void {
  try {
    socket.send(JSON.stringify(message))
  } catch {
    // It is gone; its lease says what becomes of its jobs.
  }
}
