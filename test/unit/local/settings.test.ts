import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSettings } from '../../../scripts/local/settings.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('of the environment the Worker gets what its configuration asks for, and nothing else', async () => {
  const env = {
    PLEX_URL: 'https://plex.example',
    PLEX_TV_URL: '',
    AWS_SECRET_ACCESS_KEY: 'x',
    LIBRARY_DIR: '/media',
  }
  const { vars, environment } = await readSettings(await temporaryFolder(), env)
  expect(vars).toEqual({ PLEX_URL: 'https://plex.example' })
  expect(environment['LIBRARY_DIR']).toBe('/media')
})

test('.dev.vars comes before the environment', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, '.dev.vars'), 'PLEX_URL="https://file.example"\nBULKHEAD=3\n')
  const { vars } = await readSettings(folder, { PLEX_URL: 'https://env.example', RETRY_TRIES: '2' })
  expect(vars).toEqual({ PLEX_URL: 'https://file.example', BULKHEAD: '3', RETRY_TRIES: '2' })
})
