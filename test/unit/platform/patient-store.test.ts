import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { AnswerStore } from '../../../src/platform/answer-cache.ts'
import { withPatience } from '../../../src/platform/patient-store.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

/** A store that takes its time. */
function setUp(delayMs: number) {
  const asked: string[] = []
  const after = async <T>(what: string, value: T): Promise<T> => {
    asked.push(what)
    await new Promise((resolve) => void setTimeout(resolve, delayMs))
    return value
  }
  const store: AnswerStore = {
    getWithMetadata: (key) => after(`get ${key}`, { value: 'kept', metadata: null }),
    put: (key) => after(`put ${key}`, undefined),
    delete: (key) => after(`delete ${key}`, undefined),
  }
  return { asked, store: withPatience(store, Date.now) }
}

const outcome = async (work: Promise<unknown>): Promise<unknown> => {
  const settled = work.then(
    () => 'done',
    (error: unknown) => String(error),
  )
  await vi.advanceTimersByTimeAsync(1_000)
  return Promise.race([settled, Promise.resolve('waits')])
}

test('a slow store that is in time is used, and no timer stays behind', async () => {
  const { asked, store } = setUp(999)
  const found = store.getWithMetadata('a', 'text')
  await vi.advanceTimersByTimeAsync(999)
  expect(await found).toEqual({ value: 'kept', metadata: null })
  expect(vi.getTimerCount()).toBe(0)
  expect(await outcome(store.delete('a'))).toBe('done')
  expect(asked).toEqual(['get a', 'delete a'])
})

test('after a second it has failed, and for ten more nobody asks it anything', async () => {
  const { asked, store } = setUp(60_000)
  expect(await outcome(store.getWithMetadata('a', 'text'))).toContain('too long')
  for (let second = 1; second < 10; second += 1) {
    expect(await outcome(store.getWithMetadata('b', 'text'))).toContain('left alone')
  }
  expect(asked).toEqual(['get a'])
  await vi.advanceTimersByTimeAsync(1_000)
  await outcome(store.delete('c'))
  expect(asked).toEqual(['get a', 'delete c'])
})

test('a store that fails at once is asked again at once', async () => {
  let asked = 0
  const fail = async () => {
    asked += 1
    throw new Error('away')
  }
  const store = withPatience({ getWithMetadata: fail, put: fail, delete: fail }, Date.now)
  for (let i = 0; i < 3; i += 1) await expect(store.delete('a')).rejects.toThrow('away')
  expect(asked).toBe(3)
})
