import type { AnswerStore } from './answer-cache.ts'

const patienceMs = 1_000
const restMs = 10_000

/**
 * A store that is not waited for: a call that takes longer than a second has failed, and for a while none is made. A
 * cache must not be what makes a read slow.
 */
export function withPatience(store: AnswerStore, now: () => number): AnswerStore {
  let restsUntil = 0

  const within = async <T>(call: () => Promise<T>): Promise<T> => {
    if (now() < restsUntil) throw new Error('the store is left alone')
    let timer: ReturnType<typeof setTimeout> | null = null
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        restsUntil = now() + restMs
        reject(new Error('the store takes too long'))
      }, patienceMs)
    })
    try {
      return await Promise.race([call(), tooLate])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    getWithMetadata: (key, type) => within(() => store.getWithMetadata(key, type)),
    put: (key, value, options) => within(() => store.put(key, value, options)),
    delete: (key) => within(() => store.delete(key)),
  }
}
