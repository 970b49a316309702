import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { lendCookies } from '../../../downloader/ytdlp/cookies.ts'

/** The operator's file, and what reads of it whoever has opened it before it was renewed. */
async function renewed({ onTestFinished }: TestContext, name: string, content: string) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-cookies-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [source, job] = [join(folder, name), join(folder, 'job')]
  await mkdir(job)
  await writeFile(source, 'old cookies')
  await chmod(source, 0o640)
  const reader = await open(source)
  onTestFinished(() => reader.close())
  const { file = '', giveBack } = await lendCookies(source, job)
  await writeFile(file, content)
  await giveBack(true)
  const { mode } = await stat(source)
  return {
    folder,
    now: await readFile(source, 'utf8'),
    before: await reader.readFile('utf8'),
    mode: mode & 0o777,
    left: [await readdir(job), await readdir(folder)],
  }
}

test('renewed cookies take the place of the old ones, which a reader has to the end', async (test) => {
  expect(await renewed(test, 'cookies.txt', 'new')).toMatchObject({
    now: 'new',
    before: 'old cookies',
    mode: 0o640,
    left: [[], ['cookies.txt', 'job']],
  })
})

test('where nothing can be put beside them they are written over', async (test) => {
  // Too long a name for a draft, as the folder of a file that is mounted by itself is no place for one.
  const name = 'c'.repeat(250)
  for (const content of ['new', 'new, and longer than before'])
    expect(await renewed(test, name, content)).toMatchObject({
      now: content,
      before: content,
      mode: 0o640,
      left: [[], [name, 'job']],
    })
})

test('a link stays one', async (test) => {
  const { folder } = await renewed(test, 'cookies.txt', 'new')
  const [link, job] = [join(folder, 'link'), join(folder, 'job')]
  await symlink('cookies.txt', link)
  const { file = '', giveBack } = await lendCookies(link, job)
  await writeFile(file, 'newer')
  await giveBack(true)
  expect(await readFile(join(folder, 'cookies.txt'), 'utf8')).toBe('newer')
})

test('a run that went wrong changes nothing', async (test) => {
  const { folder } = await renewed(test, 'cookies.txt', 'new')
  const { file = '', giveBack } = await lendCookies(join(folder, 'cookies.txt'), join(folder, 'job'))
  await writeFile(file, 'broken')
  await giveBack(false)
  expect(await readFile(join(folder, 'cookies.txt'), 'utf8')).toBe('new')
})
