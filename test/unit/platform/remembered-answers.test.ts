import { expect, test } from 'vitest'

import type { AnswerStore } from '../../../src/platform/answer-cache.ts'
import { rememberAnswers } from '../../../src/platform/remembered-answers.ts'

function setUp() {
  const stored = new Map<string, string>([['a', 'old']])
  const asked: string[] = []
  let time = 1_000
  const store: AnswerStore = {
    async getWithMetadata(key) {
      asked.push(key)
      return { value: stored.get(key) ?? null, metadata: null }
    },
    async put(key, value) {
      stored.set(key, value)
    },
    async delete(key) {
      stored.delete(key)
    },
  }
  const read = async (key: string) => (await remembered.getWithMetadata(key, 'text')).value
  const remembered = rememberAnswers(store, 5_000, () => time)
  const metadata = { storedAt: 0, freshUntil: 0, etag: '', generation: 0 }
  const write = (key: string, value: string) => remembered.put(key, value, { metadata, expirationTtl: 60 })
  return { stored, asked, read, write, remembered, pass: (ms: number) => (time += ms) }
}

test('what was read is not asked for again, for five seconds', async () => {
  const { asked, read, stored, pass } = setUp()
  expect(await read('a')).toBe('old')
  stored.set('a', 'new')
  pass(4_999)
  expect(await read('a')).toBe('old')
  expect(asked).toEqual(['a'])
  pass(1)
  expect(await read('a')).toBe('new')
})

test('what was written is read at once, and what was deleted is gone at once', async () => {
  const { asked, read, write, remembered } = setUp()
  await write('a', 'mine')
  expect(await read('a')).toBe('mine')
  expect(asked).toEqual([])
  await remembered.delete('a')
  expect(await read('a')).toBeNull()
})

test('what is missing is asked for each time, since somebody may just be writing it', async () => {
  const { asked, read } = setUp()
  await read('b')
  await read('b')
  expect(asked).toEqual(['b', 'b'])
})

test('no more than so many are kept, the oldest go first, and large ones are not kept at all', async () => {
  const { asked, read, write, stored } = setUp()
  await write('large', 'x'.repeat(128 * 1024 + 1))
  for (let index = 0; index < 257; index += 1) await write(`key-${index}`, 'x')
  await read('large')
  await read('key-0')
  await read('key-256')
  expect(asked).toEqual(['large', 'key-0'])
  expect(stored.size).toBe(259)
})
