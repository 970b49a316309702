import { createHash } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fingerprint } from '../../../downloader/ytdlp/ffprobe.ts'

async function fileOf(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-fingerprint-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'media.mp4')
  await writeFile(file, content)
  return file
}

test('a fingerprint is the size and the hash of all there is', async () => {
  const sha256 = createHash('sha256').update('film').digest('hex')
  expect(await fingerprint(await fileOf('film'))).toEqual({ bytes: 4, sha256 })
})

test('a fingerprint that nobody wants any more is not taken to its end', async () => {
  const file = await fileOf('')
  // Nothing but a hole, so it takes no room.
  await truncate(file, 16 * 1024 ** 3)
  const controller = new AbortController()
  const taking = fingerprint(file, controller.signal)
  controller.abort('cancelled')
  await expect(taking).rejects.toMatchObject({ name: 'AbortError' })
})
