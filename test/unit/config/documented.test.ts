import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

import { settingNames as ofDownloader } from '../../../downloader/config.ts'
import { settingNames as ofWorker } from '../../../src/config.ts'

test('operators can read about every setting', async () => {
  const text = await readFile('docs/operations.md', 'utf8')
  const named = new Set(text.match(/\b[A-Z][A-Z0-9_]+\b/g))
  expect([...ofWorker, ...ofDownloader].filter((name) => !named.has(name))).toEqual([])
})
