import { siteOf, type FromDownloader, type ToDownloader } from '#contract/downloader-link.ts'

import type { MetadataAnswer, PlaylistAnswer } from '../youtube/ports.ts'
import { whomToAsk } from '../youtube/sites.ts'
import { sendTo, type DownloaderSockets } from './downloader-sockets.ts'

type Question = Extract<ToDownloader, { type: 'ask' }>['question']
type Answer = Extract<FromDownloader, { type: 'answer' }>['answer']
type Reply = MetadataAnswer | PlaylistAnswer

/** Questions on their way to a downloader. Kept in memory: whoever asked waits, which keeps the object awake. */
export class Questions {
  readonly #downloaders: DownloaderSockets
  readonly #timeoutMs: number
  readonly #open = new Map<string, (answer: Reply) => void>()

  constructor(downloaders: DownloaderSockets, timeoutMs: number) {
    this.#downloaders = downloaders
    this.#timeoutMs = timeoutMs
  }

  async metadata(url: string, now: number): Promise<MetadataAnswer> {
    const answer = await this.#ask({ kind: 'metadata', url }, now)
    return answer.kind === 'playlist' ? { kind: 'timeout' } : answer
  }

  async playlist(url: string, limit: number, now: number): Promise<PlaylistAnswer> {
    const answer = await this.#ask({ kind: 'playlist', url, limit }, now)
    return answer.kind === 'metadata' ? { kind: 'timeout' } : answer
  }

  answered(id: string, answer: Answer): void {
    this.#settle(id, answer)
  }

  async #ask(question: Question, now: number): Promise<Reply> {
    const connected = this.#downloaders.all().map(({ socket, downloader: { rests, state } }) => ({
      socket,
      rests,
      troubles: state.troubles,
    }))
    const chosen = whomToAsk(connected, siteOf(question.url), now)
    if (!chosen) return { kind: 'unavailable' }
    const id = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const timer = setTimeout(() => this.#settle(id, { kind: 'timeout' }), this.#timeoutMs)
    this.#open.set(id, (answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
    sendTo(chosen.socket, { type: 'ask', requestId: id, timeoutMs: this.#timeoutMs, question })
    return promise
  }

  #settle(id: string, answer: Reply): void {
    this.#open.get(id)?.(answer)
    this.#open.delete(id)
  }
}
