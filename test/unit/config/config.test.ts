import { expect, test } from 'vitest'

import { ConfigError, configOf } from '../../../src/config.ts'

const key = (id: string, letter: string) => `${id}:${letter.repeat(43)}`
const settings = {
  PLEX_URL: 'https://plex.example:32400/',
  PLEX_MACHINE_IDENTIFIER: '0123456789abcdef',
  PLEX_CLIENT_IDENTIFIER: 'medianest-home',
  ACCESS_TOKEN_KEYS: key('k1', 'A'),
  VAULT_KEYS: key('v1', 'B'),
  DOWNLOADER_TOKEN: 'd'.repeat(32),
}

const config = (change: Record<string, unknown> = {}) => configOf({ ...settings, ...change })

function refusal(change: Record<string, unknown>): ConfigError {
  try {
    config(change)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`accepted ${JSON.stringify(change)}`)
}

test('six settings are enough, the rest is as documented', () => {
  const { plex, limits, breaker, retry, bulkhead, ttl } = config()
  expect(plex.url).toBe('https://plex.example:32400')
  expect(limits.plex).toEqual({ limit: 100, windowMs: 900_000 })
  expect(limits.metadata).toEqual({ limit: 100, windowMs: 3_600_000 })
  expect(limits.downloads).toEqual({ limit: 5, windowMs: 3_600_000 })
  expect(limits['sign-in']).toEqual({ limit: 10, windowMs: 900_000 })
  expect(limits['webhooks-unverified']).toEqual({ limit: 100, windowMs: 900_000 })
  expect(limits['webhooks-verified']).toEqual({ limit: 1_000, windowMs: 900_000 })
  expect(breaker).toMatchObject({ threshold: 5, openMs: 300_000 })
  expect(retry).toMatchObject({ tries: 3, baseMs: 2_000 })
  expect([plex.timeoutMs, bulkhead]).toEqual([5_000, 10])
  expect(ttl).toMatchObject({ server: 3_600_000, items: 1_800_000, search: 300_000, maxStale: 86_400_000 })
})

test('all that is missing is named at once', () => {
  const { settings: named, message } = refusal(
    Object.fromEntries(Object.keys(settings).map((name) => [name, undefined])),
  )
  expect(named.toSorted()).toEqual(Object.keys(settings).toSorted())
  for (const name of Object.keys(settings)) expect(message).toContain(name)
})

test('all that is malformed is named at once, and nothing of what it holds', () => {
  const canary = 'canary-0123456789'
  const broken = {
    PLEX_URL: `ftp://${canary}`,
    PLEX_MACHINE_IDENTIFIER: `${canary}!`,
    PLEX_CLIENT_IDENTIFIER: `${canary} `,
    PLEX_TV_URL: `https://user:${canary}@plex.tv`,
    PLEX_AUTH_URL: canary,
    PLEX_ADMIN_USER_ID: canary,
    PLEX_MOVIES_LIBRARY_KEY: canary,
    PUBLIC_URL: canary,
    ALLOWED_ORIGINS: `https://app.example,${canary}`,
    DOWNLOAD_ALLOWED_HOSTS: `https://${canary}/path`,
    ACCESS_TOKEN_KEYS: canary,
    VAULT_KEYS: `${key('v1', 'B')},${canary}`,
    DOWNLOADER_TOKEN: canary,
    GITHUB_WEBHOOK_SECRET: 'canary-01',
    GENERIC_WEBHOOK_SECRETS: JSON.stringify({ [`${canary}/`]: canary, source: 'canary-01' }),
    PLEX_REQUESTS_PER_15_MINUTES: canary,
    RETRY_BASE_MS: `-1`,
  }
  const { settings: named, message } = refusal(broken)
  expect(named.toSorted()).toEqual(Object.keys(broken).toSorted())
  expect(message).not.toContain('canary')
})

test('what is not even text is refused by name too', () => {
  for (const value of [undefined, null, 5, {}, ''])
    expect(refusal({ VAULT_KEYS: value }).settings).toEqual(['VAULT_KEYS'])
})

test('an upstream is reached over https, or over http where nobody can listen in', () => {
  for (const url of [
    'http://localhost:32400',
    'http://127.0.0.1:32400',
    'http://127.9.9.9',
    'http://[::1]:32400',
  ])
    expect(config({ PLEX_URL: url }).plex.url).toBe(url)
  const open = [
    'http://plex.example',
    'http://192.168.1.5:32400',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://[::2]',
    'http://0.0.0.0:32400',
    'http://localhost@plex.example',
    'ws://localhost',
    'plex.example',
  ]
  for (const url of open)
    for (const name of ['PLEX_URL', 'PLEX_TV_URL', 'PLEX_AUTH_URL'])
      expect(refusal({ [name]: url }).settings, url).toEqual([name])
})

test('an upstream’s address holds no credentials, query or fragment', () => {
  for (const extra of [
    'https://me:pw@plex.example',
    'https://plex.example/?X-Plex-Token=x',
    'https://plex.example/#x',
  ])
    expect(refusal({ PLEX_URL: extra }).settings, extra).toEqual(['PLEX_URL'])
  expect(config({ PLEX_URL: 'https://plex.example/base//' }).plex.url).toBe('https://plex.example/base')
})

test('a key ring holds one key or two, each with a name of its own', () => {
  expect(
    config({ VAULT_KEYS: ` ${key('v2', 'C')} , ${key('v1', 'B')} ` }).vaultKeys.map(({ id }) => id),
  ).toEqual(['v2', 'v1'])
  const rings = [
    '',
    ',',
    `${key('a', 'A')},`,
    `${key('a', 'A')},${key('b', 'B')},${key('c', 'C')}`,
    `${key('a', 'A')},${key('a', 'B')}`,
    `a:${'A'.repeat(42)}`,
    `a:${'A'.repeat(44)}`,
    `:${'A'.repeat(43)}`,
    'A'.repeat(43),
    `a:${'+'.repeat(43)}`,
  ]
  for (const ring of rings)
    for (const name of ['ACCESS_TOKEN_KEYS', 'VAULT_KEYS'])
      expect(refusal({ [name]: ring }).settings, ring).toEqual([name])
})

test('secrets may be two, so that one can be replaced, and are never short', () => {
  const [one, two, three] = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
  expect(config({ DOWNLOADER_TOKEN: `${one}, ${two}` }).downloads.tokens).toEqual([one, two])
  for (const value of [`${one},${two},${three}`, 'short', `${one},short`, ','])
    expect(refusal({ DOWNLOADER_TOKEN: value }).settings, value).toEqual(['DOWNLOADER_TOKEN'])
  expect(config().webhooks).toEqual({ overseerr: [], plex: [], github: [], generic: {} })
})

test('origins are what browsers say, however they were written down', () => {
  const { allowedOrigins, publicUrl } = config({
    ALLOWED_ORIGINS: 'https://app.example/, http://localhost:5173/path',
    PUBLIC_URL: 'https://Media.Example:443/nest',
  })
  expect(allowedOrigins).toEqual(['https://app.example', 'http://localhost:5173'])
  expect(publicUrl).toBe('https://media.example')
  expect(config().publicUrl).toBeUndefined()
  for (const value of ['*', 'null', 'app.example', 'https://a.example https://b.example'])
    expect(refusal({ ALLOWED_ORIGINS: value }).settings, value).toEqual(['ALLOWED_ORIGINS'])
})

test('hosts that may be downloaded from are hosts, with their port', () => {
  const hosts = ['video.example', '127.0.0.1:9000', '[::1]:80']
  expect(config({ DOWNLOAD_ALLOWED_HOSTS: 'video.example, 127.0.0.1:9000' }).downloads.allowedHosts).toEqual(
    hosts.slice(0, 2),
  )
  for (const value of [
    'https://video.example',
    'video.example/path',
    'user@video.example',
    'a b',
    'video.example:',
  ])
    expect(refusal({ DOWNLOAD_ALLOWED_HOSTS: value }).settings, value).toEqual(['DOWNLOAD_ALLOWED_HOSTS'])
})

test('numbers are whole and within reason', () => {
  expect(config({ DOWNLOADS_PER_HOUR: '7' }).limits.downloads.limit).toBe(7)
  for (const value of ['0', '-1', '1.5', 'many', '', 'Infinity'])
    expect(refusal({ DOWNLOADS_PER_HOUR: value }).settings, value).toEqual(['DOWNLOADS_PER_HOUR'])
})

test('the same environment is read once', () => {
  const env = { ...settings }
  expect(configOf(env)).toBe(configOf(env))
})

test('paths are rewritten by pairs of whole paths', () => {
  expect(config().plex.pathRules).toEqual([])
  expect(config({ PLEX_PATH_MAP: '/data=>/media; D:\\TV => //nas/tv ;' }).plex.pathRules).toEqual([
    { from: '/data', to: '/media' },
    { from: 'D:\\TV', to: '//nas/tv' },
  ])
  for (const PLEX_PATH_MAP of [
    '/data',
    'data=>/media',
    '/data=>media',
    '/a=>/b=>/c',
    '/a=>',
    '=>/b',
    '/a=/b',
  ]) {
    expect(refusal({ PLEX_PATH_MAP }).settings, PLEX_PATH_MAP).toEqual(['PLEX_PATH_MAP'])
  }
})
