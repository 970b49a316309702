import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, expect, test } from 'vitest'

import { askUnder } from '../support/app.ts'
import { ask, expectProblem, signIn } from '../support/client.ts'
import { control, fault } from '../support/world.ts'
import { addressOf, partsOf, picturesOf, sizeOf, type Pictures } from './pictures.ts'
import { askedOfPlex, readItems, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
let unseen: () => Pictures

beforeAll(async () => {
  await startOver()
  unseen = await picturesOf(olivia)
})
afterEach(startOver)

/** Patient: the stand-in draws each picture, and a large one takes it a while. */
const patient = askUnder({ PLEX_TIMEOUT_MS: '10000', PLEX_DEADLINE_MS: '20000' })
const show = (address: string, headers: Record<string, string> = {}) => patient('GET', address, { headers })
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

test('a poster is shown to an <img>, which sends nothing but the address', async () => {
  const { poster, art } = unseen()
  const response = await show(poster)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/jpeg',
    'cache-control': 'private, max-age=31536000, immutable',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    'x-cache': 'MISS',
    age: '0',
    etag: expect.stringMatching(/^"[^"]+"$/),
    'server-timing': expect.stringContaining('cache;dur=0;desc="MISS"'),
  })
  expect(sizeOf(await bytesOf(response))).toEqual({ width: 480, height: 720 })
  expect(sizeOf(await bytesOf(await show(art)))).toEqual({ width: 1280, height: 720 })
})

test('every size of the ladder can be had by putting it into the address', async () => {
  const { poster, art } = unseen()
  const sizes = ['w120', 'w240', 'w480', 'w780', 'w1280']
  const posters = []
  for (const size of sizes) {
    posters.push(sizeOf(await bytesOf(await show(addressOf({ ...partsOf(poster), size })))))
  }
  expect(posters).toEqual([
    { width: 120, height: 180 },
    { width: 240, height: 360 },
    { width: 480, height: 720 },
    { width: 780, height: 1170 },
    { width: 1280, height: 1920 },
  ])
  const small = await show(addressOf({ ...partsOf(art), size: 'w240' }))
  expect(sizeOf(await bytesOf(small))).toEqual({ width: 240, height: 135 })
})

test('Plex is asked for a picture once: its path, our size, and no token in the address', async () => {
  const { poster } = unseen()
  const asked = await askedOfPlex(async () => {
    const first = await bytesOf(await show(poster))
    const again = await show(poster)
    expect(again.headers.get('x-cache')).toBe('HIT')
    expect(again.headers.get('content-type')).toBe('image/jpeg')
    expect(Number(again.headers.get('age'))).toBeGreaterThanOrEqual(0)
    expect(await bytesOf(again)).toEqual(first)
  })
  expect(asked.map(({ path }) => path)).toEqual(['/photo/:/transcode'])
  expect(Object.fromEntries(new URLSearchParams(asked[0]?.query))).toEqual({
    url: partsOf(poster).path,
    width: '480',
    height: '720',
    minSize: '1',
    upscale: '1',
    format: 'jpeg',
  })
})

test('a browser that has the picture is told so, and Plex is not asked', async () => {
  const { poster } = unseen()
  const etag = (await show(poster)).headers.get('etag') ?? ''
  const other = (await show(addressOf({ ...partsOf(poster), size: 'w120' }))).headers.get('etag')
  expect(other, 'another size is another picture').not.toBe(etag)
  const asked = await askedOfPlex(async () => {
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const response = await show(poster, { 'if-none-match': tag })
      expect(response.status, tag).toBe(304)
      expect(response.headers.get('etag')).toBe(etag)
      expect(response.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
      expect(await response.text()).toBe('')
    }
  })
  expect(asked).toEqual([])
  expect((await show(poster, { 'if-none-match': '"other"' })).status).toBe(200)
})

test('two users share the bytes and never the address', async () => {
  const mine = unseen().poster
  const { data } = await readItems('/libraries/1/items?limit=100', frank)
  const { path } = partsOf(mine)
  const theirs = data.find(({ images }) => images?.poster?.endsWith(path))?.images?.poster ?? ''
  expect(partsOf(theirs)).toMatchObject({ path })
  expect(partsOf(theirs).scope).not.toBe(partsOf(mine).scope)
  expect(partsOf(theirs).signature).not.toBe(partsOf(mine).signature)

  const bytes = await bytesOf(await show(mine))
  const asked = await askedOfPlex(async () => {
    const response = await show(theirs)
    expect(response.headers.get('x-cache')).toBe('HIT')
    expect(await bytesOf(response)).toEqual(bytes)
  })
  expect(asked).toEqual([])
})

test('what Plex does not show a user it shows them under no address either', async () => {
  const { data } = await readItems('/libraries/2/items?limit=1', olivia)
  const [mine] = data.flatMap(({ images }) => images?.poster ?? [])
  if (!mine) throw new Error('a show without a poster')
  const swapped = { ...partsOf(mine), scope: partsOf(await posterOf(frank)).scope }
  const asked = await askedOfPlex(async () => {
    await expectProblem(await show(addressOf(swapped)), 'not-found')
  })
  expect(asked).toEqual([])
})

async function posterOf(session: typeof olivia): Promise<string> {
  return (await picturesOf(session))().poster
}

test('a share that has changed takes its addresses with it', async () => {
  const fatima = await signIn('fatima')
  const { data } = await readItems('/libraries/2/items?limit=1', fatima)
  const poster = data[0]?.images?.poster ?? ''
  expect((await show(poster)).status).toBe(200)
  await env.USER_GATE.getByName(fatima.user.id).newScope()
  const asked = await askedOfPlex(async () => {
    await expectProblem(await show(poster), 'not-found')
    const etag = { 'if-none-match': '*' }
    await expectProblem(await show(poster, etag), 'not-found')
  })
  expect(asked).toEqual([])
  const renewed = (await readItems('/libraries/2/items?limit=1', fatima)).data[0]?.images?.poster ?? ''
  expect(renewed).not.toBe(poster)
  expect((await show(renewed)).headers.get('x-cache')).toBe('HIT')
})

test('an address does not outlive access to the server', async () => {
  const fatima = await signIn('fatima')
  const gate = env.USER_GATE.getByName(fatima.user.id)
  const shown = async () =>
    (await readItems('/libraries/2/items?limit=1', fatima)).data[0]?.images?.poster ?? ''
  const poster = await shown()
  expect((await show(poster)).status).toBe(200)
  await gate.revokeAll()
  await expectProblem(await show(poster), 'not-found')
})

test('nor the last of its user’s sessions', async () => {
  const gate = env.USER_GATE.getByName(`somebody-${crypto.randomUUID()}`)
  const session = { refreshHash: 'none', createdAt: Date.now(), expiresAt: Date.now() + 60_000 }
  await gate.open('phone', session, { role: 'user', confirmedAt: Date.now() }, 1)
  const admitted = await gate.admit('phone', undefined)
  if (!admitted.alive) throw new Error('the session has just been opened')
  const { scopeVersion } = admitted.account
  expect(await gate.holdsScope(scopeVersion)).toBe(true)
  expect(await gate.holdsScope(scopeVersion - 1)).toBe(false)
  await gate.revoke('phone')
  expect(await gate.holdsScope(scopeVersion)).toBe(false)
})

test('who turns out to have lost access gets no picture, and no other word than that', async () => {
  const session = await signIn('frank')
  const poster = addressOf({ ...partsOf(await posterOf(session)), size: 'w120' })
  await control('plexTvUrl', 'revoke', { username: 'frank' })
  try {
    await expectProblem(await show(poster), 'not-found')
    await expectProblem(
      await ask('GET', '/api/auth/session', { token: session.accessToken }),
      'session-revoked',
    )
  } finally {
    await control('plexTvUrl', 'grant', { username: 'frank', sections: ['1', '3'] })
  }
})

test('an address made under the key before stays good, and dies with that key', async () => {
  const { poster } = unseen()
  const [next, last] = [`k2:${'C'.repeat(43)}`, `k1:${'A'.repeat(43)}`]
  expect((await askUnder({ ACCESS_TOKEN_KEYS: `${next},${last}` })('GET', poster)).status).toBe(200)
  await expectProblem(await askUnder({ ACCESS_TOKEN_KEYS: next })('GET', poster), 'not-found')
})

test('the key of access tokens signs no address, and the key of addresses no token', async () => {
  const { poster } = unseen()
  const { scope, path } = partsOf(poster)
  const secret = Uint8Array.fromBase64('A'.repeat(43), { alphabet: 'base64url' })
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${scope} ${path}`))
  const signature = new Uint8Array(mac).toBase64({ alphabet: 'base64url', omitPadding: true })
  await expectProblem(await show(addressOf({ ...partsOf(poster), signature })), 'not-found')
})

test('while Plex is down, what was seen is seen on, and the rest is unavailable', async () => {
  const [seenBefore, never] = [unseen().poster, unseen().poster]
  await show(seenBefore)
  await fault('plexUrl', { kind: 'reset' })
  expect((await show(seenBefore)).headers.get('x-cache')).toBe('HIT')
  await expectProblem(await show(never), 'plex-unavailable')
})

test('a picture costs its user nothing of the allowance', async () => {
  const { poster } = unseen()
  const response = await show(poster, { authorization: `Bearer ${olivia.accessToken}` })
  expect(response.status).toBe(200)
  expect(response.headers.has('ratelimit')).toBe(false)
})

test('the other methods are refused by name', async () => {
  const { poster } = unseen()
  const response = await ask('DELETE', poster)
  expect(response.headers.get('allow')).toBe('GET, HEAD')
  await expectProblem(response, 'method-not-allowed')
  const head = await ask('HEAD', poster)
  expect(head.status).toBe(200)
  expect(await head.text()).toBe('')
})
