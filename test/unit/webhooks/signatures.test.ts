import fc from 'fast-check'
import { expect, test } from 'vitest'

import { fromBase64, hmacSha256, hex, sameText, utf8 } from '../../../src/webhooks/proof.ts'
import { hexSignatureMatches } from '../../../src/webhooks/signature.ts'
import { verifyStandardWebhook } from '../../../src/webhooks/standard-webhooks.ts'

const github = {
  secret: "It's a Secret to Everybody",
  body: utf8('Hello, World!'),
  signature: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
}

const first = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  body: utf8('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

const second = {
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  id: 'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
  timestamp: '1649367553',
  body: utf8('{"email":"test@example.com","username":"test_user"}'),
  signature: 'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=',
}

function verify(
  vector: typeof first,
  changes: {
    headers?: Record<string, string>
    family?: string
    body?: Uint8Array
    secrets?: string[]
    shiftMs?: number
  } = {},
) {
  const family = changes.family ?? 'webhook'
  const headers: Record<string, string> = {
    [`${family}-id`]: vector.id,
    [`${family}-timestamp`]: vector.timestamp,
    [`${family}-signature`]: vector.signature,
    ...changes.headers,
  }
  const now = Number(vector.timestamp) * 1_000 + (changes.shiftMs ?? 0)
  return verifyStandardWebhook(
    { header: (name) => headers[name], bytes: changes.body ?? vector.body, now },
    changes.secrets ?? [vector.secret],
  )
}

test('GitHub’s published example verifies', async () => {
  expect(await hexSignatureMatches(github.signature, github.body, [github.secret], 'prefixed')).toBe(true)
})

test('bytes that JSON would rewrite verify as they are', async () => {
  const body = utf8('{"foo":"bar"}')
  const signature = 'sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3'
  expect(await hexSignatureMatches(signature, body, ['mysecret'], 'prefixed')).toBe(true)
  expect(await hexSignatureMatches(signature, utf8('{"foo": "bar"}'), ['mysecret'], 'prefixed')).toBe(false)
})

test('either of two live secrets verifies', async () => {
  for (const secrets of [
    [github.secret, 'another-secret'],
    ['another-secret', github.secret],
  ]) {
    expect(await hexSignatureMatches(github.signature, github.body, secrets, 'prefixed')).toBe(true)
  }
  expect(await hexSignatureMatches(github.signature, github.body, ['another-secret'], 'prefixed')).toBe(false)
  expect(await hexSignatureMatches(github.signature, github.body, [], 'prefixed')).toBe(false)
})

test.each([
  undefined,
  '',
  'sha256=',
  github.signature.slice(7),
  github.signature.toUpperCase(),
  `${github.signature}, ${github.signature}`,
  `sha1=${github.signature.slice(7)}`,
  `${github.signature} `,
  `${github.signature}00`,
])('a signature header of another form is refused: %s', async (header) => {
  expect(await hexSignatureMatches(header, github.body, [github.secret], 'prefixed')).toBe(false)
})

test('a plain hex header will do where the prefix is optional', async () => {
  const bare = github.signature.slice(7)
  expect(await hexSignatureMatches(bare, github.body, [github.secret], 'prefix-optional')).toBe(true)
  expect(await hexSignatureMatches(github.signature, github.body, [github.secret], 'prefix-optional')).toBe(
    true,
  )
})

test('any change of one byte of the body or of the signature is refused', async () => {
  const bodyAndSignature = fc.record({
    body: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    at: fc.nat(),
    flip: fc.integer({ min: 1, max: 255 }),
  })
  await fc.assert(
    fc.asyncProperty(bodyAndSignature, async ({ body, at, flip }) => {
      const signature = `sha256=${hex(await hmacSha256(utf8(github.secret), body))}`
      expect(await hexSignatureMatches(signature, body, [github.secret], 'prefixed')).toBe(true)

      const changed = body.map((byte, index) => (index === at % body.length ? byte ^ flip : byte))
      expect(await hexSignatureMatches(signature, changed, [github.secret], 'prefixed')).toBe(false)

      const place = at % signature.length
      const other = String.fromCharCode(signature.charCodeAt(place) ^ (flip % 127 || 1))
      const forged = signature.slice(0, place) + other + signature.slice(place + 1)
      expect(await hexSignatureMatches(forged, body, [github.secret], 'prefixed')).toBe(false)
    }),
    { numRuns: 50 },
  )
})

test.each([first, second])('the published Standard Webhooks example $id verifies', async (vector) => {
  expect(await verify(vector)).toBe(vector.id)
  expect(await verify(vector, { family: 'svix' })).toBe(vector.id)
})

test('a body of a mebibyte verifies', async () => {
  const large = {
    ...first,
    body: utf8('a'.repeat(1_048_576)),
    signature: 'v1,txpEUxqWZJ5nteTnymUVa+7C4NHpBeXJ6CsBAW0c3/A=',
  }
  expect(await verify(large)).toBe(first.id)
})

test('a good signature among others, and an old secret among two, are enough', async () => {
  const signatures = `v1,AAAA v1a,hnO3f9T8 ${first.signature} v2,x`
  expect(await verify(first, { headers: { 'webhook-signature': signatures } })).toBe(first.id)
  expect(await verify(first, { secrets: [second.secret, first.secret] })).toBe(first.id)
  expect(await verify(first, { secrets: [second.secret] })).toBeUndefined()
})

test('the time may be 300 seconds off in both directions, and not a moment more', async () => {
  for (const shiftMs of [-300_000, 300_000]) expect(await verify(first, { shiftMs })).toBe(first.id)
  for (const shiftMs of [-300_001, 300_001]) expect(await verify(first, { shiftMs })).toBeUndefined()
})

test.each(['1614265330abc', '1614265330.0', ' 1614265330', '+1614265330', 'NaN', '', '1e9', '01614265330'])(
  'a time that is no plain number of seconds is refused: "%s"',
  async (timestamp) => {
    const mac = await hmacSha256(
      fromBase64(first.secret.slice(6)) ?? utf8('-'),
      utf8(`${first.id}.${timestamp}.`),
      first.body,
    )
    const signature = `v1,${Buffer.from(mac).toString('base64')}`
    const headers = { 'webhook-timestamp': timestamp, 'webhook-signature': signature }
    expect(await verify(first, { headers })).toBeUndefined()
  },
)

test('an id with a dot is refused, however well it is signed', async () => {
  const id = 'msg.1'
  const key = fromBase64(first.secret.slice(6)) ?? utf8('-')
  const mac = await hmacSha256(key, utf8(`${id}.${first.timestamp}.`), first.body)
  const signature = `v1,${Buffer.from(mac).toString('base64')}`
  expect(
    await verify(first, { headers: { 'webhook-id': id, 'webhook-signature': signature } }),
  ).toBeUndefined()
})

test('headers of two families are not mixed', async () => {
  const headers = {
    'svix-id': first.id,
    'webhook-timestamp': first.timestamp,
    'webhook-signature': first.signature,
  }
  const header = (name: string) => (headers as Record<string, string>)[name]
  const now = Number(first.timestamp) * 1_000
  expect(await verifyStandardWebhook({ header, bytes: first.body, now }, [first.secret])).toBeUndefined()
})

test('more signatures than any sender has are refused before they cost anything', async () => {
  const signatures = [...Array.from({ length: 16 }, () => 'v1,AAAA'), first.signature].join(' ')
  expect(await verify(first, { headers: { 'webhook-signature': signatures } })).toBeUndefined()
})

test('any change of id, time, body or signature of a Standard Webhook is refused', async () => {
  const mutate = (text: string, at: number, flip: number) => {
    const place = at % text.length
    return text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ flip) + text.slice(place + 1)
  }
  const change = fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 31 }) })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, flip }) => {
      const body = utf8(mutate('{"test": 2432232314}', at, flip))
      expect(await verify(first, { body })).toBeUndefined()
      for (const [name, value] of [
        ['webhook-id', first.id],
        ['webhook-timestamp', first.timestamp],
        ['webhook-signature', first.signature],
      ] as const) {
        expect(await verify(first, { headers: { [name]: mutate(value, at, flip) } })).toBeUndefined()
      }
    }),
    { numRuns: 50 },
  )
})

test('secrets compare equal only to themselves', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (a, b) => {
      expect(await sameText(a, b)).toBe(a === b)
      expect(await sameText(a, a)).toBe(true)
      expect(await sameText(`${a}\u0000`, a)).toBe(false)
    }),
    { numRuns: 50 },
  )
})
