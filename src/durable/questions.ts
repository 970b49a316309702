import type { FromDownloader } from '#contract/downloader-link.ts'

import type { MetadataAnswer, PlaylistAnswer } from '../youtube/ports.ts'

type Reply = MetadataAnswer | PlaylistAnswer

type Answer = Extract<FromDownloader, { type: 'answer' }>['answer']

/** Questions on their way to a downloader. Kept in memory: whoever asked waits, which keeps the object awake. */
export class Questions {
  readonly #open = new Map<string, (answer: Reply) => void>()

  ask(timeoutMs: number): { readonly id: string; readonly answer: Promise<Reply> } {
    const id = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const timer = setTimeout(() => this.#settle(id, { kind: 'timeout' }), timeoutMs)
    this.#open.set(id, (answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
    return { id, answer: promise }
  }

  answered(id: string, answer: Answer): void {
    this.#settle(id, answer)
  }

  #settle(id: string, answer: Reply): void {
    this.#open.get(id)?.(answer)
    this.#open.delete(id)
  }
}
