import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { parseConfig, type Config } from '../../downloader/config.ts'
import { createLog } from '../../downloader/log.ts'
import { runUpdate } from '../../downloader/update/command.ts'
import { openWorkspace } from '../../downloader/workspace.ts'

async function configWith({ onTestFinished }: TestContext, cookies: string | Buffer): Promise<Config> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-workspace-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'a-folder'))
  await writeFile(join(folder, 'cookies.txt'), cookies)
  const parsed = parseConfig({
    LINK_URL: 'wss://medianest.example/api/downloader/link',
    DOWNLOADER_TOKEN: 'a-token-of-some-length',
    LIBRARY_DIR: folder,
    COOKIES_FILE: join(folder, 'cookies.txt'),
  })
  if (!parsed.ok) throw new Error(parsed.problems.join())
  return parsed.config
}

const netscape = '# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tSID\t{x}\n'

test('a start with cookies that yt-dlp can read makes the working folders', async (test) => {
  const config = await configWith(test, netscape)
  await openWorkspace(config)
  expect((await readdir(config.workDirectory)).sort()).toEqual(['cache', 'jobs', 'scratch', 'tools'])
})

test('cookies that cannot be read are named at the start, and before an update is tried', async (test) => {
  const config = await configWith(test, netscape)
  const log = createLog({ write: () => undefined, now: () => new Date(0), secrets: [] })
  // What Docker makes of a file that is not there is a folder.
  for (const name of ['nowhere.txt', 'a-folder']) {
    const wrong = { ...config, cookiesFile: join(config.libraryDirectory, name) }
    const named = { name: 'WorkspaceUnusable', message: 'COOKIES_FILE cannot be read' }
    await expect(openWorkspace(wrong)).rejects.toMatchObject(named)
    await expect(runUpdate('update', wrong, {}, log, AbortSignal.abort())).rejects.toMatchObject(named)
  }
})

test('cookies in the format that yt-dlp refuses are named, too', async (test) => {
  for (const json of ['[{"domain":".youtube.com"}]', '\n{"cookies":[]}'])
    await expect(openWorkspace(await configWith(test, json))).rejects.toThrow('COOKIES_FILE must be')
})
