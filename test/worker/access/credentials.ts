import { env } from 'cloudflare:workers'

import { configOf } from '../../../src/config.ts'
import { tokenFor, type Member } from '../support/sessions.ts'

const encoder = new TextEncoder()
const base64url = (bytes: Uint8Array) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
const part = (value: unknown) => base64url(encoder.encode(JSON.stringify(value)))

const anotherKey = crypto.getRandomValues(new Uint8Array(32))

type Forgery = {
  readonly header?: Readonly<Record<string, unknown>>
  readonly payload?: Readonly<Record<string, unknown>>
  readonly key?: Uint8Array<ArrayBuffer>
}

/** A token with the right form, of which one thing is not as the Worker makes it. */
async function forge({ userId, role, session }: Member, { header, payload, key }: Forgery): Promise<string> {
  const { sessionId } = await session()
  const [ours] = configOf(env).accessTokenKeys
  const raw = key ?? Uint8Array.fromBase64(ours?.secret ?? '', { alphabet: 'base64url' })
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: 'medianest',
    aud: 'medianest',
    sub: userId,
    sid: sessionId,
    role,
    iat: now,
    exp: now + 600,
  }
  const unsigned = [
    part({ alg: 'HS256', typ: 'at+jwt', kid: ours?.id, ...header }),
    part({ ...claims, ...payload }),
  ].join('.')
  if (header?.['alg'] === 'none') return `${unsigned}.`
  const signer = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', signer, encoder.encode(unsigned))
  return `${unsigned}.${base64url(new Uint8Array(signature))}`
}

/** The yardstick: nothing is wrong with this one, so what refuses the others is what is wrong with them. */
export const genuine = (member: Member) => forge(member, {})

/** Credentials that were never good, each by another trick. */
export const forgeries: Readonly<Record<string, (member: Member) => Promise<string>>> = {
  'a token whose claims were changed': async (member) => {
    const [header, , signature] = (await genuine(member)).split('.')
    const [, payload] = (await forge(member, { payload: { role: 'admin' }, key: anotherKey })).split('.')
    return `${header}.${payload}.${signature}`
  },
  'a token that claims to need no signature': (member) => forge(member, { header: { alg: 'none' } }),
  'a token of another key': (member) => forge(member, { key: anotherKey }),
  'a token of an unknown key id': (member) => forge(member, { header: { kid: 'k9' } }),
  'a token for another audience': (member) => forge(member, { payload: { aud: 'somebody-else' } }),
  'a token of another issuer': (member) => forge(member, { payload: { iss: 'somebody-else' } }),
  'a token of another kind': (member) => forge(member, { header: { typ: 'JWT' } }),
  'a token that never expires': (member) => forge(member, { payload: { exp: undefined } }),
  'a token without a session': (member) => forge(member, { payload: { sid: undefined } }),
  'something that is no token': async () => 'not-a-token',
}

export async function expired({ session }: Member): Promise<string> {
  return tokenFor(await session(), 15 * 60_000 + 1_000)
}

export async function revoked({ session, gate }: Member): Promise<string> {
  const { sessionId, token } = await session()
  await gate.revoke(sessionId)
  return token
}
