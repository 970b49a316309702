import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSecrets } from '../../../scripts/local/secrets.ts'
import { configOf } from '../../../src/config.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('secrets are made once, for their owner’s eyes alone', async () => {
  const folder = await temporaryFolder()
  const first = readSecrets(folder)
  expect(readSecrets(folder)).toEqual(first)
  const { mode } = await stat(join(folder, 'secrets.json'))
  expect(mode & 0o777).toBe(0o600)
  expect(new Set(Object.values(first)).size).toBe(Object.values(first).length)
})

test('two installations share no secret', async () => {
  const [one, other] = [readSecrets(await temporaryFolder()), readSecrets(await temporaryFolder())]
  const shared = Object.values(one).filter((secret) => Object.values(other).includes(secret))
  expect(shared).toEqual([])
})

test('a secret that a newer version needs is added, and the others stay', async () => {
  const folder = await temporaryFolder()
  const { METRICS_TOKEN: _, ...older } = readSecrets(folder)
  await writeFile(join(folder, 'secrets.json'), JSON.stringify({ ...older, RETIRED: 'kept' }))
  const newer = readSecrets(folder)
  expect(newer).toMatchObject(older)
  expect(newer.METRICS_TOKEN.length).toBeGreaterThanOrEqual(32)
  expect(JSON.parse(await readFile(join(folder, 'secrets.json'), 'utf8'))).toEqual({
    ...newer,
    RETIRED: 'kept',
  })
})

test('the Worker accepts them', async () => {
  const plex = { PLEX_URL: 'http://127.0.0.1:32400', PLEX_MACHINE_IDENTIFIER: 'abcdef0123456789' }
  const config = configOf({ ...plex, ...readSecrets(await temporaryFolder()) })
  expect(config.webhooks.overseerr).toHaveLength(1)
  expect(config.downloads.tokens).toHaveLength(1)
})
