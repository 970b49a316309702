import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { expect, test } from 'vitest'

import { configOf } from '../../../src/config.ts'
import { createUserStore } from '../../../src/platform/user-store.ts'
import { createVault } from '../../../src/platform/vault.ts'

const newKey = (id: string) => ({
  id,
  secret: crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true }),
})
const [k1, k2, k3] = [newKey('k1'), newKey('k2'), newKey('k3')]

test('what is sealed opens for its subject, and looks different each time', async () => {
  const vault = createVault([k1])
  const texts = ['', 'plex-token', 'ünïcödé 🍿'.repeat(500)]
  for (const text of texts) {
    const [once, twice] = [await vault.seal(text, 'a'), await vault.seal(text, 'a')]
    expect(once).not.toBe(twice)
    expect(await vault.open(once, 'a')).toBe(text)
    expect(await vault.open(twice, 'a')).toBe(text)
  }
})

test('nothing opens for another subject, under another key, or after a change', async () => {
  const vault = createVault([k1])
  const sealed = await vault.seal('plex-token', 'account-token:1')
  for (const subject of ['account-token:2', 'server-token:1', 'account-token:', ''])
    expect(await vault.open(sealed, subject)).toBeUndefined()
  expect(await createVault([{ ...k2, id: 'k1' }]).open(sealed, 'account-token:1')).toBeUndefined()
  expect(await createVault([k2]).open(sealed, 'account-token:1')).toBeUndefined()
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'Q' : 'A') + sealed.slice(at + 1)
    expect(await vault.open(changed, 'account-token:1'), changed).toBeUndefined()
  }
  for (const odd of ['', '.', '..', 'k1', 'k1..', 'k1.AAAA.AAAA', '....'])
    expect(await vault.open(odd, 'account-token:1')).toBeUndefined()
})

test('a new key takes over while the old one still opens what it sealed, until it is dropped', async () => {
  const old = await createVault([k1]).seal('old', 's')
  const rotating = createVault([k2, k1])
  const fresh = await rotating.seal('fresh', 's')
  expect(await rotating.open(old, 's')).toBe('old')
  expect(await createVault([k1]).open(fresh, 's')).toBeUndefined()
  const rotated = createVault([k3, k2])
  expect(await rotated.open(fresh, 's')).toBe('fresh')
  expect(await rotated.open(old, 's')).toBeUndefined()
})

const someone = (id: string) => ({ id, username: id, role: 'user' as const })
const tokensOf = (id: string) => ({ accountToken: `account-${id}`, serverToken: `server-${id}` })
const newId = () => String(Math.floor(Math.random() * 1e15))
const at = new Date('2026-11-01T00:00:00Z')

test('sealed tokens that change places in the database open for nobody', async () => {
  const users = createUserStore(drizzle(env.DB), createVault(configOf(env).vaultKeys))
  const [a, b] = [newId(), newId()]
  for (const id of [a, b]) await users.upsert(someone(id), tokensOf(id), at)
  expect(await users.tokens(a)).toEqual(tokensOf(a))

  const read = async (column: string, id: string) =>
    env.DB.prepare(`SELECT ${column} FROM users WHERE id = ?`).bind(id).first<string>(column)
  const write = (column: string, id: string, value: string | null) =>
    env.DB.prepare(`UPDATE users SET ${column} = ? WHERE id = ?`).bind(value, id).run()
  const swap = async (column: string) => {
    const [ofA, ofB] = [await read(column, a), await read(column, b)]
    await write(column, a, ofB)
    await write(column, b, ofA)
  }
  for (const column of ['sealed_account_token', 'sealed_server_token']) {
    await swap(column)
    expect(await users.tokens(a), column).toBeUndefined()
    expect(await users.tokens(b), column).toBeUndefined()
    await swap(column)
    expect(await users.tokens(a), column).toEqual(tokensOf(a))
  }
  await env.DB.prepare('UPDATE users SET sealed_account_token = sealed_server_token WHERE id = ?')
    .bind(a)
    .run()
  expect(await users.tokens(a), 'one token in the place of the other').toBeUndefined()
})

test('the database never holds a token as it is', async () => {
  const users = createUserStore(drizzle(env.DB), createVault(configOf(env).vaultKeys))
  const id = newId()
  await users.upsert(someone(id), tokensOf(id), at)
  await users.replaceServerToken(id, `replaced-${id}`)
  expect(await users.tokens(id)).toEqual({ accountToken: `account-${id}`, serverToken: `replaced-${id}` })
  const { results } = await env.DB.prepare('SELECT * FROM users').all()
  expect(JSON.stringify(results)).not.toMatch(new RegExp(`(account|server|replaced)-${id}`))
})
