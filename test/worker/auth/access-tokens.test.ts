import { expect, test } from 'vitest'

import { isProblem } from '#contract/problem.ts'

import { createAccessTokens } from '../../../src/platform/access-tokens.ts'

const newKey = (id: string) => ({
  id,
  secret: crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true }),
})
const [k1, k2, k3] = [newKey('k1'), newKey('k2'), newKey('k3')]
const claims = { userId: '1', sessionId: 's', role: 'admin' as const }
const noon = Date.parse('2026-11-01T12:00:00Z')
const at = (ring: Parameters<typeof createAccessTokens>[0], now = noon) => createAccessTokens(ring, () => now)
const codeOf = (error: unknown) =>
  isProblem(error, 'token-expired') || isProblem(error, 'unauthenticated') ? error.code : error

test('a token says who it is for, and for a quarter of an hour', async () => {
  const { token, expiresAt } = await at([k1]).issue(claims)
  expect(expiresAt.toISOString()).toBe('2026-11-01T12:15:00.000Z')
  expect(await at([k1]).verify(token)).toEqual(claims)
  expect(await at([k1], expiresAt.getTime() - 1).verify(token)).toEqual(claims)
  expect(await at([k1], expiresAt.getTime()).verify(token).catch(codeOf)).toBe('token-expired')
})

test('a new key takes over while tokens of the old one live on, until it is dropped', async () => {
  const old = await at([k1]).issue(claims)
  const fresh = await at([k2, k1]).issue(claims)
  expect(await at([k2, k1]).verify(old.token)).toEqual(claims)
  expect(await at([k1]).verify(fresh.token).catch(codeOf)).toBe('unauthenticated')
  expect(await at([k3, k2]).verify(fresh.token)).toEqual(claims)
  expect(await at([k3, k2]).verify(old.token).catch(codeOf)).toBe('unauthenticated')
})

test('a forgery is no better for having expired', async () => {
  const { token } = await at([{ ...k2, id: 'k1' }]).issue(claims)
  expect(
    await at([k1], noon + 3_600_000)
      .verify(token)
      .catch(codeOf),
  ).toBe('unauthenticated')
})

test('a token holds ids and a role, and nothing else about a person', async () => {
  const { token } = await at([k1]).issue(claims)
  const [, payload = ''] = token.split('.')
  const text = new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: 'base64url' }))
  expect(Object.keys(JSON.parse(text)).toSorted()).toEqual(['aud', 'exp', 'iat', 'iss', 'role', 'sid', 'sub'])
})
