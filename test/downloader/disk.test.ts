import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSpaceLedger, isWritable } from '../../downloader/disk.ts'
import { createStanding } from '../../downloader/standing.ts'

test('twice the size and the reserve must be free', () => {
  const { admit } = createSpaceLedger(100, 1000)
  expect(admit('a', 50, 199)).toBe('no-space')
  expect(admit('a', 50, 200)).toBe('admitted')
})

test('what is promised to one job is not promised to another', () => {
  const { admit, release } = createSpaceLedger(100, 1000)
  expect(admit('a', 50, 300)).toBe('admitted')
  expect(admit('b', 51, 300)).toBe('no-space')
  expect(admit('a', 60, 300)).toBe('admitted')
  release('a')
  expect(admit('b', 51, 300)).toBe('admitted')
})

test('what a job has on disk already is its own, and is promised to it no more', () => {
  const { admit, holds, promisedBytes, release } = createSpaceLedger(100, 1000)
  // Of twice 200, 150 lie there: 250 more and the reserve will do.
  expect(admit('a', 200, 349, 150)).toBe('no-space')
  expect(admit('a', 200, 350, 150)).toBe('admitted')
  expect(promisedBytes()).toBe(250)
  holds('a', 390)
  expect(promisedBytes()).toBe(10)
  expect(admit('b', 50, 209)).toBe('no-space')
  expect(admit('b', 50, 210)).toBe('admitted')
  // Of a conversion more may lie there than was thought of.
  holds('a', 900)
  expect(promisedBytes()).toBe(100)
  release('a')
  holds('a', 5)
  expect(promisedBytes()).toBe(100)
})

test('a job that was admitted goes on to be, however its parts fill the disk', () => {
  const { admit, holds } = createSpaceLedger(100, 1000)
  const disk = 500
  for (const held of [0, 50, 100, 200, 399]) {
    expect(admit('a', 200, disk - held, held)).toBe('admitted')
    holds('a', held)
  }
})

test('what is too large is refused, however much is free', () => {
  const { admit } = createSpaceLedger(0, 1000)
  expect(admit('a', 1001, Number.MAX_SAFE_INTEGER)).toBe('too-large')
})

test('several may see at once whether a folder can be written to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-disk-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const looks = await Promise.all(Array.from({ length: 8 }, () => isWritable(folder)))
  expect(looks).toEqual(looks.map(() => true))
  expect(await readdir(folder)).toEqual([])
  expect(await isWritable(join(folder, 'missing'))).toBe(false)
})

test('a job without room says how much it needs, by what was expected or by what it has shown', () => {
  const { admit, refuse, release, promisedBytes } = createSpaceLedger(100, 10_000)
  expect(admit('a', 50, 1000)).toBe('admitted')
  expect(promisedBytes()).toBe(100)
  expect(admit('b', 500, 1000)).toBe('no-space')
  expect(refuse('b', 0)).toBe(1100)
  expect(refuse('b', 600)).toBe(1300)
  release('b')
  expect(refuse('c', 0)).toBe(100)
  expect(createSpaceLedger(0, 1).refuse('d', 0)).toBe(1)
})

test('it is news when a refused job has room again, once, or when much has changed', () => {
  const ledger = createSpaceLedger(0, 10_000)
  const { tell, isNews } = createStanding({ resting: () => [] }, ledger)
  const told = (freeBytes: number): number => tell({ freeBytes, troubles: [] }).freeBytes
  ledger.admit('a', 502, 1000)
  ledger.refuse('a', 0)
  expect(told(1000)).toBe(1000)
  expect([1003, 1004, 1004, 1010, 1011, 989].map((free) => isNews(free))).toEqual([
    false,
    true,
    false,
    false,
    true,
    true,
  ])
  // What is promised is not free.
  ledger.admit('b', 100, 1000)
  expect(told(1000)).toBe(800)
  expect(told(100)).toBe(0)
})
