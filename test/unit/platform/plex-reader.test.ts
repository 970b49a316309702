import { expect, test } from 'vitest'

import { createPlexReader } from '../../../src/platform/plex-reader.ts'
import type { Row } from '../../../src/plex/container.ts'
import { plexPath } from '../../../src/plex/ports.ts'

type Given = {
  readonly standing?: 'renewed' | 'lost' | 'signed-out' | 'unknown'
  readonly known?: string
  readonly latest?: string
  readonly taken?: string
}

const question = { path: plexPath`/library/sections` }

type World = {
  container: Row
  token: string | undefined
  asked: string[]
  confirmed: number
  shares: string[]
}

/** PMS that takes one token alone, and plex.tv's word on whoever is asked about. */
function createWorld(given: Given = {}) {
  const { standing = 'renewed', known = 'good', latest = 'good', taken = 'good' } = given
  const world: World = {
    container: { size: 0 },
    token: known,
    asked: [],
    confirmed: 0,
    shares: [],
  }
  const reader = createPlexReader({
    noteShare: async (userId, share) => {
      world.shares.push(`${userId} ${share}`)
    },
    client: {
      read: async (token) => {
        world.asked.push(token)
        return token === taken ? { container: world.container } : 'token-refused'
      },
    },
    serverToken: async () => world.token,
    confirmMembership: async () => {
      world.confirmed += 1
      world.token = latest
      return standing
    },
  })
  return { world, read: (path = question.path) => reader.read('u1', { path }) }
}

test('what Plex shares is noted whenever it says so, and in which order it says it does not matter', async () => {
  const { world, read } = createWorld()
  const [films, shows] = [
    { key: '1', uuid: 'f' },
    { key: 2, uuid: 's' },
  ]
  world.container = { Directory: [films, shows] }
  await read()
  world.container = { Directory: [shows, films] }
  await read()
  world.container = { Directory: films }
  await read()
  world.container = { size: 0 }
  await read()
  expect(world.shares).toEqual(['u1 1:f,2:s', 'u1 1:f,2:s', 'u1 1:f', 'u1 '])
  world.container = { Directory: [films] }
  await read(plexPath`/library/sections/${'1'}/all`)
  expect(world.shares).toHaveLength(4)
})

test('a list that cannot be noted is not given out', async () => {
  const { world, read } = createWorld({ known: 'old', standing: 'lost' })
  await expect(read()).rejects.toMatchObject({ code: 'not-a-member' })
  expect(world.shares).toEqual([])
})

test('a token that works asks plex.tv nothing', async () => {
  const { world, read } = createWorld()
  expect(await read()).toEqual({ container: { size: 0 } })
  expect(world).toMatchObject({ asked: ['good'], confirmed: 0 })
})

test('a token that was replaced is replaced here, and the read goes on', async () => {
  const { world, read } = createWorld({ known: 'old' })
  expect(await read()).toEqual({ container: { size: 0 } })
  expect(world).toMatchObject({ asked: ['old', 'good'], confirmed: 1 })
})

test('a token that stays refused is looked into once', async () => {
  const { world, read } = createWorld({ taken: 'another' })
  await expect(read()).rejects.toMatchObject({ code: 'plex-sign-in-required' })
  expect(world).toMatchObject({ asked: ['good', 'good'], confirmed: 1 })
})

for (const [standing, code] of [
  ['lost', 'not-a-member'],
  ['signed-out', 'plex-sign-in-required'],
  ['unknown', 'plex-tv-unavailable'],
] as const) {
  test(`whose membership is ${standing} is told ${code}, and Plex is asked no more`, async () => {
    const { world, read } = createWorld({ known: 'old', standing })
    await expect(read()).rejects.toMatchObject({ code })
    expect(world.asked).toEqual(['old'])
  })
}

test('who has no token is asked to sign in, and nobody else is asked anything', async () => {
  const { world, read } = createWorld()
  world.token = undefined
  await expect(read()).rejects.toMatchObject({ code: 'plex-sign-in-required' })
  expect(world).toMatchObject({ asked: [], confirmed: 0 })
})

test('a path of Plex takes digits for what varies, and nothing else', () => {
  const [key, ...rest] = ['12', '', '1/../2', '1?x', '%31', 'a', '-1', '1 ', '１']
  expect(plexPath`/library/sections/${key ?? ''}/all`).toBe('/library/sections/12/all')
  for (const odd of rest) expect(() => plexPath`/library/metadata/${odd}`, odd).toThrow('digits')
})
