import type { LibraryEntry, LibraryIndex } from '../youtube/ports.ts'
import { log } from '../platform/logger.ts'
import { reasonOf } from './reason-of.ts'
import { Turns } from './turns.ts'

type Index = LibraryIndex & {
  add(videoId: string, entry: LibraryEntry): Promise<void>
  remove(videoId: string, downloadId: string): Promise<void>
}

/** Keeps the index of the library up to date, one change after the other. Nobody’s download waits for it. */
export class LibraryUpdates {
  readonly #index: Index
  readonly #turns = new Turns()

  constructor(index: Index) {
    this.#index = index
  }

  add(videoId: string, entry: LibraryEntry): void {
    this.#change(() => this.#index.add(videoId, entry))
  }

  remove(videoId: string, downloadId: string): void {
    this.#change(() => this.#index.remove(videoId, downloadId))
  }

  /** All that was asked for so far is done, or was given up. */
  settled(): Promise<void> {
    return this.#turns.run(async () => undefined)
  }

  #change(work: () => Promise<void>): void {
    this.#turns.run(work).catch((error: unknown) => {
      log('warn', 'library-index-not-updated', { cause: reasonOf(error) })
    })
  }
}
