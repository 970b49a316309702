import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact } from '../../downloader/redact.ts'

const letters = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })

const small = 'abcdefghijklmnopqrstuvwxyz'
const word = letters(small, 4, 10)
const hex = letters('0123456789abcdef', 24, 64)
const base64 = fc
  .uint8Array({ minLength: 24, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))
const path = fc.array(word, { minLength: 2, maxLength: 5 })
const host = fc.tuple(word, word).map(([a, b]) => `${a}.${b}`)

/** What must not be seen, and what it looks like in a line. */
const hidden: fc.Arbitrary<readonly [secrets: readonly string[], text: string]> = fc.oneof(
  fc
    .tuple(host, path, hex)
    .map(([at, parts, key]) => [[at, ...parts, key], `https://${at}/${parts.join('/')}?k=${key}`] as const),
  fc.tuple(host, word).map(([at, user]) => [[at, user], `${user}@${at}`] as const),
  host.map((at) => [[at], `host='${at}', port=443`] as const),
  fc.ipV4().map((address) => [[address], `${address}:443`] as const),
  fc.ipV6().map((address) => [[address], `[${address}]`] as const),
  path.map((parts) => [parts, `/${parts.join('/')}.mp4`] as const),
  path.map((parts) => [parts, `'/${parts.join(' x/')}'`] as const),
  path.map((parts) => [parts, `C:\\${parts.join('\\')}`] as const),
  path.map((parts) => [parts, `\\\\${parts.join('\\')}`] as const),
  path.map((parts) => [parts, parts.join('/')] as const),
  hex.map((key) => [[key], `@${key}@`] as const),
  base64.map((key) => [[key], key] as const),
  letters(`${small}${small.toUpperCase()}`, 40, 60).map((key) => [[key], key] as const),
  fc.uuid().map((id) => [[id], id] as const),
  word.map((value) => [[value], `token=${value}`] as const),
  word.map((value) => [[value], `Authorization: Bearer ${value}`] as const),
  fc
    .tuple(word, word)
    .map(([name, value]) => [[name, value], `Set-Cookie: ${name}=${value}; path=/`] as const),
)

const around = fc.constantFrom('', 'ERROR: ', 'WARNING: [x] ', 'unable to open ', '(caused by ', '\u001b[31m')

test('whatever is put in that nobody may see, it does not come out', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(around, hidden), { minLength: 1, maxLength: 3 }), (pieces) => {
      const clean = redact(pieces.map(([before, [, text]]) => before + text).join(' '))
      expect(clean.length).toBeLessThanOrEqual(300)
      // Of a word that was made by chance, the fixed words around it may be part.
      const fixed =
        /error|warning|unable|open|caused|authorization|cookie|token|secret|address|path|bearer|e-mail|host|port/gi
      const rest = clean.replaceAll(fixed, ' ')
      for (const [, [secrets]] of pieces) for (const secret of secrets) expect(rest).not.toContain(secret)
    }),
    { numRuns: 2000 },
  )
})

test('known values do not come out, however harmless they look', () => {
  expect(redact('ERROR: no room in films for anna', ['films', 'anna', ''])).toBe(
    'ERROR: no room in <secret> for <secret>',
  )
})

test('half of a secret does not come out either', () => {
  const secret = 'f0e1d2c3b4a59687'
  fc.assert(
    fc.property(fc.integer({ min: 1980, max: 2010 }), (length) => {
      const line = `${'/a b'.repeat(2000).slice(0, length - 1)} ${secret}`
      expect(redact(line)).not.toContain(secret.slice(0, 4))
    }),
  )
})

test.each([
  ['ERROR: [youtube] dQw4w9WgXcQ: Video unavailable', 'ERROR: [youtube] dQw4w9WgXcQ: Video unavailable'],
  [
    "ERROR: unable to open for writing: [Errno 13] Permission denied: '/videos/My films/a.part'",
    'ERROR: unable to open for writing: [Errno 13] Permission denied: <path>',
  ],
  [
    'ERROR: unable to download video data: HTTP Error 403: Forbidden',
    'ERROR: unable to download video data: HTTP Error 403: Forbidden',
  ],
  [
    'WARNING: [SSL: CERTIFICATE_VERIFY_FAILED] aborted, see --abort-on-unavailable-fragments',
    'WARNING: [SSL: CERTIFICATE_VERIFY_FAILED] aborted, see --abort-on-unavailable-fragments',
  ],
])('what helps stays: %s', (line, expected) => {
  expect(redact(line)).toBe(expected)
})
