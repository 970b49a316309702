import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

const hourMs = 3_600_000
const start = Date.now()

async function openGate() {
  const gate = env.USER_GATE.getByName(crypto.randomUUID())
  let pin = 0
  const signIn = async (at: number): Promise<string> => {
    const id = crypto.randomUUID()
    const session = { refreshHash: 'h', createdAt: at, expiresAt: at + 100 * hourMs }
    await gate.open(id, session, { role: 'user', confirmedAt: at }, (pin += 1))
    return id
  }
  const id = await signIn(start)
  const account = async () => {
    const answer = await gate.admit(id, undefined, start)
    if (!answer.alive) throw new Error('the session is dead')
    return answer.account
  }
  return { gate, account, signIn }
}

test('the first share that is heard of changes nothing, and neither does the same again', async () => {
  const { gate, account } = await openGate()
  const { scopeVersion } = await account()
  expect(await gate.noteShare('1,3', start)).toBe('same')
  await evictDurableObject(gate)
  expect(await gate.noteShare('1,3', start + hourMs)).toBe('same')
  expect((await account()).scopeVersion).toBe(scopeVersion)
})

test('another share is another scope at once, whether it is more or less or as before the last', async () => {
  const { gate, account } = await openGate()
  const scopes = [(await account()).scopeVersion]
  await gate.noteShare('1,3', start)
  for (const share of ['1', '1,2,3', '1']) {
    expect(await gate.noteShare(share, start)).toBe('new')
    scopes.push((await account()).scopeVersion)
  }
  expect(new Set(scopes).size).toBe(4)
})

test('after a sign-in nothing is cached that another share could tell from', async () => {
  const { gate, account, signIn } = await openGate()
  await gate.noteShare('1,3', start)
  await signIn(start + hourMs)
  const { scopeVersion } = await account()
  expect(await gate.noteShare('2', start + hourMs)).toBe('same')
  expect((await account()).scopeVersion).toBe(scopeVersion)
  expect(await gate.noteShare('1,3', start + hourMs)).toBe('new')
})

test('a change is remembered for who made it, and never goes back', async () => {
  const { gate, account } = await openGate()
  expect(await account()).not.toHaveProperty('changed')
  await gate.noteChange(7)
  await gate.noteChange(3)
  await evictDurableObject(gate)
  expect((await account()).changed).toBe(7)
})

test('of someone who never signed in nothing is kept', async () => {
  const gate = env.USER_GATE.getByName(crypto.randomUUID())
  await gate.noteChange(1)
  expect(await gate.noteShare('1')).toBe('same')
  expect(await gate.noteShare('2')).toBe('same')
})
