import type { AnswerStore } from './answer-cache.ts'

type Found = Awaited<ReturnType<AnswerStore['getWithMetadata']>>

const maxAnswers = 256
const maxLength = 128 * 1024

/**
 * What this isolate has just read or written, before the store itself: a page that is read again and again costs no
 * call to KV. Bounded in number and size, and no older than the generations it is compared with.
 */
export function rememberAnswers(store: AnswerStore, trustedForMs: number, now: () => number): AnswerStore {
  const answers = new Map<string, { readonly found: Found; readonly at: number }>()

  const remember = (key: string, found: Found): void => {
    answers.delete(key)
    if (found.value === null || found.value.length > maxLength) return
    answers.set(key, { found, at: now() })
    for (const oldest of answers.keys()) {
      if (answers.size <= maxAnswers) break
      answers.delete(oldest)
    }
  }

  return {
    async getWithMetadata(key, type) {
      const known = answers.get(key)
      const age = known ? now() - known.at : trustedForMs
      if (known && age >= 0 && age < trustedForMs) return known.found
      const found = await store.getWithMetadata(key, type)
      remember(key, found)
      return found
    },

    async put(key, value, options) {
      remember(key, { value, metadata: options.metadata })
      await store.put(key, value, options)
    },

    async delete(key) {
      answers.delete(key)
      await store.delete(key)
    },
  }
}
