import { afterAll, beforeAll, expect, test } from 'vitest'

import { SessionsBody } from '../../../src/plex/session-schema.ts'
import { expectData, expectProblem, signIn, ask, type Session } from '../support/client.ts'
import { control } from '../support/world.ts'
import { askedOfPlex, read, readItems, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

const address = '203.0.113.77'
const list = async (session: Session) => expectData(await read('/sessions', session), 200, SessionsBody)

// What plays is remembered for ten seconds, so it is arranged once for all of these tests.
let film = ''
let show = ''
beforeAll(async () => {
  await startOver()
  const firstOf = async (key: string) =>
    (await readItems(`/libraries/${key}/items?limit=1`, olivia)).data[0]?.ratingKey ?? ''
  film = await firstOf('1')
  show = await firstOf('2')
  const playing = (ratingKey: string, id: string, title: string) => ({
    ratingKey,
    address,
    user: { id, title },
    player: `${title}’s player`,
    location: 'wan',
  })
  await control('plexUrl', 'sessions', {
    sessions: [
      { ...playing(film, '1', 'Olivia'), transcoding: true },
      playing(film, frank.user.id, 'Frank'),
      // Frank’s share no longer holds what is playing.
      playing(show, frank.user.id, 'Frank'),
      playing(show, fatima.user.id, 'Fatima'),
    ],
  })
})
afterAll(async () => control('plexUrl', 'sessions', { sessions: [] }))

test('an administrator sees who plays what, and nobody’s address', async () => {
  const asked = await askedOfPlex(async () => {
    const { data, meta } = await list(olivia)
    expect(meta.count).toBe(4)
    expect(data[0]).toMatchObject({
      user: { id: '1', name: 'Olivia' },
      item: { ratingKey: film, libraryKey: '1', title: expect.any(String) },
      state: 'playing',
      positionMs: 60_000,
      progressPercent: expect.any(Number),
      player: { name: 'Olivia’s player', platform: 'Android' },
      network: 'remote',
      transcoding: { video: 'transcode', speed: 4.2 },
    })
    expect(data[1]).not.toHaveProperty('transcoding')
  })
  expect(asked.filter(({ path }) => path === '/status/sessions').length).toBeLessThanOrEqual(1)
})

test('no answer holds an address, a path for friends, or what names a player', async () => {
  for (const session of [olivia, frank]) {
    const text = await (await read('/sessions', session)).text()
    expect(text).not.toContain(address)
    expect(text).not.toMatch(/machineIdentifier|player-\d|X-Plex-Token|plex\.tv\/users/)
    if (session === frank) expect(text).not.toContain('/media/')
  }
})

test('others see what they play themselves, and of that only what their share holds', async () => {
  const { data } = await list(frank)
  expect(data).toMatchObject([{ user: { id: frank.user.id }, item: { ratingKey: film } }])
  expect((await list(fatima)).data.map(({ user }) => user.id)).toEqual([fatima.user.id])
  // How far the owner is with a film is the owner’s affair.
  expect(data[0]?.item).not.toHaveProperty('viewCount')
  expect(data[0]?.item).not.toHaveProperty('viewOffsetMs')
})

test('within ten seconds Plex is not asked again, and an answer says how old it is', async () => {
  await list(olivia)
  const asked = await askedOfPlex(async () => {
    const again = await read('/sessions', olivia)
    expect(again.headers.get('x-cache')).toBe('HIT')
    expect(Number(again.headers.get('age'))).toBeLessThan(10)
    const etag = again.headers.get('etag') ?? ''
    const unchanged = await read('/sessions', olivia, { 'if-none-match': etag })
    expect(unchanged.status).toBe(304)
  })
  expect(asked.filter(({ path }) => path === '/status/sessions')).toEqual([])
})

test('a stranger sees nothing', async () => {
  await expectProblem(await ask('GET', '/api/plex/sessions'), 'unauthenticated')
})
