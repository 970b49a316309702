import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { QueuedBody, ScanBody, ScansBody } from '../../../src/plex/scan-schema.ts'
import { ask, expectData, expectProblem, signIn } from '../support/client.ts'
import { control, world } from '../support/world.ts'
import { subscribe } from './subscriber.ts'
import { askedOfPlex, expectRefusedBeforePlex, plexServer, read, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const patience = { timeout: 20_000, interval: 100 }

beforeEach(startOver)
afterEach(startOver)

const scan = (path: string, { accessToken } = olivia) =>
  ask('POST', '/api/plex/scan', { token: accessToken, json: { path } })
const readScan = async (id: string) =>
  (await expectData(await read(`/scans/${id}`, olivia), 200, ScanBody)).data
const isOver = (id: string) => async () => (await readScan(id)).endedAt !== undefined

const File = z.object({ file: z.string() })
async function put(folder: string) {
  const name = `${folder}/Film.mp4`
  const { file } = File.parse(await control('plexUrl', 'put-file', { name }))
  return { name, file, path: file.slice(0, file.lastIndexOf('/')) }
}

test('a friend may neither scan nor look at scans, and Plex is not even asked', async () => {
  await expectRefusedBeforePlex(() => scan('/media/movies', frank), 'forbidden')
  await expectRefusedBeforePlex(() => read('/scans', frank), 'forbidden')
  await expectRefusedBeforePlex(() => read(`/scans/${crypto.randomUUID()}`, frank), 'forbidden')
})

test('a file is scanned for in the library that holds it, and seen', async () => {
  const { name, file, path } = await put(crypto.randomUUID())
  const { data } = await expectData(await scan(file), 202, QueuedBody)
  expect(data).toEqual({ scanId: data.scanId, libraryKey: '3', path, state: 'queued' })
  await expect.poll(isOver(data.scanId), patience).toBe(true)
  expect(await readScan(data.scanId)).toMatchObject({
    id: data.scanId,
    state: 'seen',
    libraryKey: '3',
    path,
    requests: 1,
    files: { awaited: 1, seen: 1 },
  })
  await control('plexUrl', 'remove-file', { name })
})

test('who asked for a scan hears of it by its name, and who shares the library hears that it was scanned', async () => {
  const [mine, theirs] = [await subscribe(olivia), await subscribe(frank)]
  const { file } = await put(crypto.randomUUID())
  const { data } = await expectData(await scan(file), 202, QueuedBody)
  await expect
    .poll(() => mine.scanned(), patience)
    .toContainEqual({
      libraryKey: '3',
      scanId: data.scanId,
      outcome: 'seen',
    })
  await expect.poll(() => theirs.scanned(), patience).toContainEqual({ libraryKey: '3', outcome: 'seen' })
  expect(JSON.stringify(theirs.scanned())).not.toContain(data.scanId)
  for (const subscriber of [mine, theirs]) subscriber.close()
})

test('a folder in no library is refused while Plex can say so', async () => {
  for (const path of [`${world.youtubeFolder}2/x`, '/elsewhere', '/media/movies/../../etc', 'movies', '']) {
    await expectProblem(await scan(path), 'invalid-request')
  }
})

test('a scan nobody asked for is not there', async () => {
  await expectProblem(await read(`/scans/${crypto.randomUUID()}`, olivia), 'not-found')
})

test('a hundred administrators’ wishes at once are a look at the libraries and one scan', async () => {
  const { path } = await put(crypto.randomUUID())
  await evictDurableObject(plexServer())
  const asked = await askedOfPlex(async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => scan(path)))
    const ids = await Promise.all(answers.map((answer) => expectData(answer, 202, QueuedBody)))
    const [id = ''] = new Set(ids.map(({ data }) => data.scanId))
    await expect.poll(isOver(id), patience).toBe(true)
    expect(await readScan(id)).toMatchObject({ state: 'seen', requests: 100 })
  })
  // Once for all who ask, once at the start, and again while the files are looked for.
  expect(asked.filter((one) => one.path === '/library/sections').length).toBeLessThan(6)
  const refreshes = asked.filter((one) => one.path.endsWith('/refresh'))
  expect(refreshes.filter(({ query }) => query.includes(encodeURIComponent(path)))).toHaveLength(1)
})

test('the list says what waits, what runs and how the last ones ended', async () => {
  const { file } = await put(crypto.randomUUID())
  const { data } = await expectData(await scan(file), 202, QueuedBody)
  const list = async () => (await expectData(await read('/scans', olivia), 200, ScansBody)).data
  const states = new Set<string>()
  const look = async () => {
    const state = (await list()).find(({ id }) => id === data.scanId)?.state
    if (state) states.add(state)
    return state
  }
  await expect.poll(look, { ...patience, interval: 20 }).toBe('seen')
  expect([...states]).toEqual(expect.arrayContaining(['queued', 'scanning', 'seen']))
  expect((await list()).length).toBeGreaterThan(0)
})

test('the longest path of the widest letters is taken', async () => {
  const path = `/media/movies/${'→'.repeat(650)}`
  const { data } = await expectData(await scan(path), 202, QueuedBody)
  await expect.poll(async () => (await readScan(data.scanId)).state, patience).toBe('looking')
  await expectProblem(await scan(`${path}${'→'.repeat(30)}`), 'invalid-request')
})
