import * as z from 'zod'

import {
  DownloaderState,
  DownloaderVersions,
  RestingSite,
  type ToDownloader,
} from '#contract/downloader-link.ts'
import { Progress } from '#contract/downloads.ts'

import type { Candidate } from '../youtube/assign.ts'
import { canWork } from '../youtube/health.ts'
import type { Job, Told } from '../youtube/job.ts'
import { restsOf } from '../youtube/sites.ts'

const Attachment = z.object({
  downloaderId: z.string(),
  slots: z.int(),
  versions: DownloaderVersions,
  state: DownloaderState.omit({ sites: true }),
  rests: z.array(RestingSite.omit({ waitMs: true }).extend({ until: z.number() })).default([]),
  /** Has just declined: not to be offered anything before this instant, in ms. */
  unwillingUntil: z.number(),
  connectedAt: z.number(),
  /** How far its jobs were at their last change of phase, and under which lease: the object itself may forget. */
  told: z
    .record(z.string(), Progress.pick({ phase: true, percent: true }).extend({ lease: z.int() }))
    .default({}),
})
export type Downloader = z.output<typeof Attachment>
type Connected = { readonly socket: WebSocket; readonly downloader: Downloader }

type Context = Pick<DurableObjectState, 'getWebSockets' | 'getWebSocketAutoResponseTimestamp'>

/** The downloaders that are connected. What is known of each rides on its socket, and so outlives hibernation. */
export class DownloaderSockets {
  readonly #context: Context
  readonly #heardAt = new WeakMap<WebSocket, number>()

  constructor(context: Context) {
    this.#context = context
  }

  /** A downloader that comes back takes the place of its older connection. */
  introduce(socket: WebSocket, downloader: Downloader): void {
    const others = this.all().filter(
      (known) => known.socket !== socket && known.downloader.downloaderId === downloader.downloaderId,
    )
    const told = Object.assign({}, downloader.told, ...others.map((known) => known.downloader.told))
    for (const { socket: old } of others) {
      old.serializeAttachment(null)
      old.close(4409, 'replaced by a newer connection')
    }
    socket.serializeAttachment({ ...downloader, told })
  }

  of(socket: WebSocket): Downloader | undefined {
    return Attachment.safeParse(socket.deserializeAttachment()).data
  }

  update(socket: WebSocket, changes: Partial<Downloader>): void {
    socket.serializeAttachment({ ...this.of(socket), ...changes })
  }

  all(): Connected[] {
    return this.#context.getWebSockets().flatMap((socket) => {
      const downloader = socket.readyState === WebSocket.OPEN ? this.of(socket) : undefined
      return downloader ? [{ socket, downloader }] : []
    })
  }

  candidates(): Candidate[] {
    return this.all().map(({ downloader: { downloaderId, slots, unwillingUntil, rests, state } }) => ({
      downloaderId,
      slots,
      unwillingUntil,
      rests,
      freeBytes: state.freeBytes,
      isUnfit: !canWork(state.troubles),
      isFull: state.troubles.includes('low-space'),
    }))
  }

  heard(socket: WebSocket, now: number): void {
    this.#heardAt.set(socket, now)
  }

  /** The last sign of life of a downloader, in ms; pings are answered without waking the object and count too. */
  lastHeard(downloaderId: string): number | undefined {
    const known = this.#find(downloaderId)
    if (!known) return undefined
    const pinged = this.#context.getWebSocketAutoResponseTimestamp(known.socket)?.getTime() ?? 0
    return Math.max(pinged, this.#heardAt.get(known.socket) ?? 0, known.downloader.connectedAt)
  }

  /** What is known of a job from the connection of its holder. */
  told({ id, lease }: Job): Told | undefined {
    const known = lease && this.#find(lease.holder)?.downloader.told[id]
    return known?.lease === lease?.token ? known : undefined
  }

  sendAll(message: ToDownloader, exceptTo?: string): void {
    for (const { socket, downloader } of this.all())
      if (downloader.downloaderId !== exceptTo) sendTo(socket, message)
  }

  send(downloaderId: string, message: ToDownloader): void {
    const known = this.#find(downloaderId)
    if (known) sendTo(known.socket, message)
  }

  /** Those that may still believe to be connected must greet again to learn what is theirs. */
  closeSilent(since: number): void {
    for (const { socket, downloader } of this.all()) {
      if ((this.lastHeard(downloader.downloaderId) ?? 0) < since) socket.close(4408, 'silent for too long')
    }
  }

  #find(downloaderId: string): Connected | undefined {
    return this.all().find(({ downloader }) => downloader.downloaderId === downloaderId)
  }
}

/** What a downloader says of itself, by the clock of this side. */
export function standingOf({ sites, ...state }: DownloaderState, now: number) {
  return { state, rests: restsOf(sites, now), unwillingUntil: 0 }
}

export function sendTo(socket: WebSocket, message: ToDownloader): void {
  try {
    socket.send(JSON.stringify(message))
  } catch {
    // It is gone; its lease says what becomes of its jobs.
  }
}
