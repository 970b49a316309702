import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'

import { Windows } from '../../../src/durable/windows.ts'

const newGate = () => env.USER_GATE.getByName(crypto.randomUUID())
type Gate = ReturnType<typeof newGate>

const hourMs = 3_600_000
const plex = { name: 'plex', limit: 100, windowMs: hourMs / 4 }
const downloads = { name: 'downloads', limit: 5, windowMs: hourMs }

let pins = 0
async function open(gate: Gate, { at = Date.now(), livesMs = hourMs, hash = 'h1', pin = (pins += 1) } = {}) {
  const id = crypto.randomUUID()
  const session = { refreshHash: hash, createdAt: at, expiresAt: at + livesMs }
  const opened = await gate.open(id, session, { role: 'user', confirmedAt: at }, pin)
  return { id, opened, at }
}

const stored = (gate: Gate) =>
  runInDurableObject(gate, (_, { storage }) => Object.fromEntries(storage.kv.list()))
const hasAlarm = (gate: Gate) =>
  runInDurableObject(gate, async (_, { storage }) => (await storage.getAlarm()) !== null)
/** On a busy machine the first of many requests may be stored before the last has come. */
const written = (gate: Gate, count: number) =>
  vi.waitFor(
    async () => expect(await stored(gate)).toMatchObject({ 'window:plex': { times: { length: count } } }),
    { timeout: 5_000, interval: 50 },
  )

test('of 150 requests at once exactly the 100 allowed are admitted', async () => {
  const gate = newGate()
  const { id, at } = await open(gate)
  const answers = await Promise.all(Array.from({ length: 150 }, () => gate.admit(id, plex, at)))
  const decisions = answers.flatMap((answer) => (answer.alive && answer.decision ? [answer.decision] : []))
  expect(decisions).toHaveLength(150)
  expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(100)
  const left = decisions.filter(({ allowed }) => allowed).map(({ remaining }) => remaining)
  expect(new Set(left).size).toBe(100)
})

test('one user’s requests are no other’s', async () => {
  const [one, other] = [newGate(), newGate()]
  const [a, b] = [await open(one), await open(other)]
  const few = { ...plex, limit: 1 }
  expect(await one.admit(a.id, few, a.at)).toMatchObject({ decision: { allowed: true } })
  expect(await one.admit(a.id, few, a.at)).toMatchObject({ decision: { allowed: false } })
  expect(await other.admit(b.id, few, b.at)).toMatchObject({ decision: { allowed: true } })
})

test('a session that is not there is dead, and costs nothing', async () => {
  const gate = newGate()
  const { id, at } = await open(gate)
  const few = { ...plex, limit: 1 }
  expect(await gate.admit('another', few, at)).toEqual({ alive: false })
  expect(await gate.admit(id, few, at)).toMatchObject({ alive: true, decision: { allowed: true } })
  expect(await gate.admit(id, undefined, at + hourMs - 1)).toMatchObject({ alive: true })
  expect(await gate.admit(id, undefined, at + hourMs)).toEqual({ alive: false })
})

test('what was spent on reading is remembered across an eviction', async () => {
  const gate = newGate()
  const { id, at } = await open(gate)
  for (let request = 0; request < 90; request += 1) await gate.admit(id, plex, at)
  await written(gate, 90)
  await evictDurableObject(gate)
  const answers = await Promise.all(Array.from({ length: 20 }, () => gate.admit(id, plex, at)))
  const allowed = answers.filter((answer) => answer.alive && answer.decision?.allowed)
  expect(allowed).toHaveLength(10)
})

test('a stream of refusals writes nothing', () => {
  const kept = new Map<string, unknown>()
  const writes: string[] = []
  const storage = {
    get: () => undefined,
    list: () => [],
    put: (key: string, value: unknown) => {
      writes.push(key)
      kept.set(key, value)
    },
  }
  const windows = new Windows(storage, () => {})
  const few = { ...plex, limit: 2 }
  for (let request = 0; request < 50; request += 1) {
    windows.take(few, request, { durable: false })
    windows.flush()
  }
  expect(writes).toEqual(['window:plex', 'window:plex'])
  expect(kept.get('window:plex')).toMatchObject({ times: [0, 1] })
})

test('a download that was counted is counted, even if the object is gone right after the answer', async () => {
  const gate = newGate()
  const now = Date.now()
  for (let left = 4; left >= 0; left -= 1) {
    expect(await gate.take(downloads, now)).toMatchObject({ allowed: true, remaining: left })
    await evictDurableObject(gate)
  }
  expect(await gate.take(downloads, now)).toMatchObject({ allowed: false })
  await evictDurableObject(gate)
  expect(await gate.peek(downloads, now + hourMs - 1)).toMatchObject({ allowed: false })
  expect(await gate.peek(downloads, now + hourMs)).toMatchObject({ allowed: true, remaining: 5 })
})

test('of downloads asked for at once exactly five are accepted', async () => {
  const gate = newGate()
  const now = Date.now()
  const answers = await Promise.all(Array.from({ length: 20 }, () => gate.take(downloads, now)))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(5)
})

test('what is charged twice counts once, also after an eviction and when nothing is left, as long as it counts', async () => {
  const gate = newGate()
  const now = Date.now()
  for (let left = 4; left >= 0; left -= 1) {
    const answers = await Promise.all([1, 2, 3].map(() => gate.take(downloads, now + left, `id ${left}`)))
    for (const answer of answers) expect(answer).toMatchObject({ allowed: true, remaining: left })
  }
  expect(await gate.take(downloads, now + 5, 'another')).toMatchObject({ allowed: false })
  await evictDurableObject(gate)
  expect(await gate.take(downloads, now + 6, 'id 4')).toMatchObject({ allowed: true, remaining: 0 })
  expect(await gate.take(downloads, now + hourMs + 4, 'id 4')).toMatchObject({ allowed: true, remaining: 4 })
  expect(await gate.take(downloads, now + hourMs + 5, 'id 4')).toMatchObject({ remaining: 4 })
})

test('sessions survive an eviction, and so does their end', async () => {
  const gate = newGate()
  const [kept, ended] = [await open(gate), await open(gate)]
  await gate.revoke(ended.id)
  await evictDurableObject(gate)
  expect(await gate.admit(kept.id, undefined)).toMatchObject({ alive: true })
  expect(await gate.admit(ended.id, undefined)).toEqual({ alive: false })
  await gate.revokeAll()
  await evictDurableObject(gate)
  expect(await gate.admit(kept.id, undefined)).toEqual({ alive: false })
})

test('a PIN opens one session, also after an eviction', async () => {
  const gate = newGate()
  const { opened } = await open(gate, { pin: 7 })
  expect(opened).toBe('opened')
  await evictDurableObject(gate)
  const again = await open(gate, { pin: 7 })
  expect(again.opened).toBe('pin-used')
  expect(await gate.admit(again.id, undefined)).toEqual({ alive: false })
})

test('of many sessions the oldest gives way', async () => {
  const gate = newGate()
  const now = Date.now()
  const ids = []
  for (let age = 60; age > 0; age -= 1) ids.push((await open(gate, { at: now - age })).id)
  const alive = await Promise.all(ids.map(async (id) => (await gate.admit(id, undefined, now)).alive))
  expect(alive).toEqual([
    ...Array.from({ length: 10 }, () => false),
    ...Array.from({ length: 50 }, () => true),
  ])
})

test('a refresh hash is good once, and its return ends the session', async () => {
  const gate = newGate()
  const { id, at } = await open(gate, { hash: 'h1' })
  const next = { refreshHash: 'h2', expiresAt: at + 2 * hourMs }
  expect(await gate.rotate(id, 'h1', next, at)).toMatchObject({ role: 'user' })
  expect(await gate.admit(id, undefined, at + hourMs + 1), 'it lives longer').toMatchObject({ alive: true })
  expect(await gate.check(id, 'h1', at)).toBeUndefined()
  expect(await gate.admit(id, undefined, at)).toEqual({ alive: false })
  expect(await gate.rotate(id, 'h2', next, at)).toBeUndefined()
})

test('a scope never comes back, even when the gate has forgotten itself', async () => {
  const gate = newGate()
  const scopes: number[] = []
  const note = async (id: string, now: number) => {
    const answer = await gate.admit(id, undefined, now)
    if (answer.alive) scopes.push(answer.account.scopeVersion)
  }
  const now = Date.now()
  const first = await open(gate, { at: now })
  await note(first.id, now)
  await gate.newScope(now)
  await gate.newScope(now - hourMs)
  await note(first.id, now)
  await gate.revoke(first.id)
  await runDurableObjectAlarm(gate)
  expect(await stored(gate)).toEqual({})
  const second = await open(gate, { at: now + 1_000 })
  await note(second.id, now + 1_000)
  expect(scopes).toHaveLength(3)
  expect(scopes).toEqual(scopes.toSorted((a, b) => a - b))
  expect(new Set(scopes).size).toBe(3)
})

test('the gate forgets itself once sessions and allowances are over, and no sooner', async () => {
  const gate = newGate()
  const now = Date.now()
  const { id } = await open(gate, { at: now })
  await gate.revoke(id)
  await gate.take(downloads, now - hourMs / 2)
  expect(await runDurableObjectAlarm(gate)).toBe(true)
  expect(await gate.peek(downloads, now), 'an allowance is still in use').toMatchObject({ remaining: 4 })
  expect(await hasAlarm(gate)).toBe(true)
  expect(await gate.admit(id, undefined, now)).toEqual({ alive: false })

  const live = await open(gate, { at: now })
  expect(await runDurableObjectAlarm(gate)).toBe(true)
  expect(await gate.admit(live.id, undefined, now), 'a session is alive').toMatchObject({ alive: true })
  expect(await hasAlarm(gate)).toBe(true)

  await gate.revoke(live.id)
  await runInDurableObject(gate, (_, { storage }) => void storage.kv.delete('window:downloads'))
  await evictDurableObject(gate)
  expect(await runDurableObjectAlarm(gate)).toBe(true)
  expect(await stored(gate)).toEqual({})
  expect(await hasAlarm(gate)).toBe(false)
})

test('a stranger who is turned away leaves nothing behind', async () => {
  const gate = newGate()
  await gate.revokeAll()
  await gate.confirm('admin')
  await gate.newScope()
  await gate.check('s', 'h')
  await gate.peek(downloads)
  expect(await stored(gate)).toEqual({})
})
