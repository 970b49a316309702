import { createServer } from 'node:http'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { asFriend, fields, startPlex, withQuery } from './plex-caller.ts'

async function place(folder: string, file: string, text = 'video'): Promise<string> {
  const full = path.join(folder, file)
  await mkdir(path.dirname(full), { recursive: true })
  await writeFile(full, text)
  return full
}

test('a scan shows the files that are there, with the titles their notes give them', async () => {
  const { plex, folder, container } = await startPlex()
  const noted = await place(folder, 'Chan/Season 2024/one.mp4')
  await place(
    folder,
    'Chan/Season 2024/one.nfo',
    '<movie><title>Salt &amp; Pepper</title><aired>2024-05-06</aired></movie>',
  )
  await place(folder, 'Chan/plain.webm')
  await place(folder, 'Chan/unfinished.mp4.part')
  await place(folder, 'Chan/cover.jpg')
  await place(folder, '.tmp/hidden.mp4')
  await plex.scan('3')

  const { Metadata } = await container('/library/sections/3/all')
  expect(fields(Metadata, 'title')).toEqual(['plain', 'Salt & Pepper'])
  expect(Metadata[1]).toMatchObject({
    year: 2024,
    originallyAvailableAt: '2024-05-06',
    Media: [{ Part: [{ file: noted, size: 5 }] }],
  })
})

test('a file keeps its key, also when the server starts again, and goes when it is deleted', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'plex-world-'))
  const file = await place(folder, 'a.mp4')
  const [first, second] = [
    await startPlex({ youtubeFolder: folder }),
    await startPlex({ youtubeFolder: folder }),
  ]
  const keys = async ({ container }: typeof first) =>
    fields((await container('/library/sections/3/all')).Metadata, 'ratingKey')

  expect(await keys(first)).toEqual([expect.stringMatching(/^\d+$/)])
  expect(await keys(second)).toEqual(await keys(first))
  const [key] = await keys(first)
  await rm(file)
  await first.plex.scan('3')
  expect(await keys(first)).toEqual([])
  expect((await first.call(`/library/metadata/${String(key)}`)).status).toBe(404)
  await place(folder, 'a.mp4')
  await first.plex.scan('3')
  expect(await keys(first)).toEqual([key])
})

test('a scan of a folder reads that folder only', async () => {
  const { plex, folder, call, container } = await startPlex()
  await place(folder, 'tv/a.mp4')
  await place(folder, 'tv2/b.mp4')
  const answer = await call(withQuery('/library/sections/3/refresh', { path: path.join(folder, 'tv') }))

  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/html')
  expect(await answer.text()).toBe('')
  await plex.scansFinished()
  const titles = async () => fields((await container('/library/sections/3/all')).Metadata, 'title')
  expect(await titles()).toEqual(['a'])
  await plex.scan('3')
  await plex.scan('3', path.join(folder, 'tv'))
  expect(await titles()).toEqual(['a', 'b'])
})

test('a folder that is gone takes its items along when it is scanned', async () => {
  const { plex, folder } = await startPlex()
  await place(folder, 'tv/a.mp4')
  await plex.scan('3')
  await rm(path.join(folder, 'tv'), { recursive: true })
  await plex.scan('3', path.join(folder, 'tv'))
  expect(plex.state().items[3]).toBe(0)
})

test('a season that is gone takes its items along, when it, its show or the library is scanned', async () => {
  const { plex, folder } = await startPlex()
  const season = path.join(folder, 'tv/Season 2026')
  for (const scanned of [season, path.join(folder, 'tv'), undefined]) {
    await place(season, 'a.mp4')
    await place(folder, 'tv/Season 2025/b.mp4')
    await plex.scan('3')
    expect(plex.state().items[3]).toBe(2)
    await rm(season, { recursive: true })
    await plex.scan('3', scanned)
    expect(plex.state().items[3]).toBe(1)
    expect(plex.state().scans.at(-1)).toMatchObject({ outcome: 'done', removed: [expect.any(String)] })
  }
})

test('a library that is not mounted keeps its items', async () => {
  const above = await mkdtemp(path.join(os.tmpdir(), 'plex-world-'))
  onTestFinished(() => rm(above, { recursive: true, force: true }))
  const { plex, folder } = await startPlex({ youtubeFolder: path.join(above, 'library') })
  await place(folder, 'tv/a.mp4')
  await plex.scan('3')
  await rm(folder, { recursive: true })
  await plex.scan('3')
  await plex.scan('3', path.join(folder, 'tv'))
  expect(plex.state().items[3]).toBe(1)
})

test('what is asked for twice while a scan runs is scanned once', async () => {
  const { plex, folder, call } = await startPlex({ scanMs: 200 })
  await call('/library/sections/3/refresh')
  const inFolder = withQuery('/library/sections/3/refresh', { path: folder })
  await Promise.all([call(inFolder), call(inFolder), call(inFolder)])
  await plex.scansFinished()
  expect(plex.state().scans.map((scan) => scan.path)).toEqual([undefined, folder])
})

test('the path of a file, of nothing inside, or of another place scans nothing', async () => {
  const above = await mkdtemp(path.join(os.tmpdir(), 'plex-world-'))
  onTestFinished(() => rm(above, { recursive: true, force: true }))
  const { plex, folder, call } = await startPlex({ youtubeFolder: path.join(above, 'library') })
  const file = await place(folder, 'a.mp4')
  for (const wrong of [file, above, `${folder}2`, path.join(folder, '..')]) {
    await call(withQuery('/library/sections/3/refresh', { path: wrong }))
    await plex.scansFinished()
  }
  expect(plex.state().scans.map(({ outcome }) => outcome)).toEqual([
    'nothing',
    'nothing',
    'nothing',
    'nothing',
  ])
  expect(plex.state().items[3]).toBe(0)
})

test('refreshing is for the owner', async () => {
  const { plex, call } = await startPlex()
  const refused = await call('/library/sections/2/refresh', asFriend)
  expect(refused.status).toBe(401)
  expect(await refused.text()).toContain('<h1>401 Unauthorized</h1>')
  expect((await call('/library/sections/9/refresh')).status).toBe(404)
  expect(plex.state()).toMatchObject({ scans: [], scanning: [] })
})

test('a scan that runs is an activity with progress, and its section is refreshing', async () => {
  const clock = { now: Date.UTC(2025, 0, 1) }
  const { call, container } = await startPlex({ scanMs: 60_000, now: () => clock.now })
  const answer = await call('/library/sections/3/refresh', { method: 'POST' })
  const progress = async () => fields((await container('/activities')).Activity, 'progress')

  expect(await progress()).toEqual([])
  clock.now += 7_000
  await vi.waitFor(async () => expect(await progress()).toEqual([-1]))
  clock.now += 23_000
  expect((await container('/activities')).Activity).toMatchObject([
    {
      uuid: answer.headers.get('x-plex-activity'),
      type: 'library.update.section',
      progress: 50,
      Context: { librarySectionID: '3' },
    },
  ])
  expect(fields((await container('/library/sections')).Directory, 'refreshing')).toEqual([false, false, true])
  expect((await container('/activities', asFriend)).Activity).toEqual([])
})

test('one scan at a time runs in a section, and cancelling it forgets what waits', async () => {
  const { plex, folder, call } = await startPlex({ scanMs: 60_000 })
  const ask = (method: string, target: string) => call(`/library/sections/3/refresh${target}`, { method })
  await ask('GET', '')
  await ask('GET', `?path=${encodeURIComponent(folder)}`)
  await ask('GET', `?path=${encodeURIComponent(folder)}`)
  expect(plex.state()).toMatchObject({ scans: [], scanning: ['3'] })
  await ask('DELETE', '')
  await plex.scansFinished()
  expect(plex.state().scans.map(({ outcome }) => outcome)).toEqual(['cancelled'])
})

test('a file that lands during a scan is seen by the one that waits', async () => {
  const { plex, folder, call, container } = await startPlex({ scanMs: 500 })
  await call('/library/sections/3/refresh')
  await vi.waitFor(async () => expect((await container('/activities')).Activity).toHaveLength(1), {
    interval: 10,
  })
  await place(folder, 'late.mp4')
  await call('/library/sections/3/refresh')
  await plex.scansFinished()
  expect(plex.state().scans.map(({ added }) => added.length)).toEqual([0, 1])
})

test('all sections can be refreshed at once', async () => {
  const { plex, call } = await startPlex()
  await call('/library/sections/all/refresh?force=1')
  await plex.scansFinished()
  expect(new Set(plex.state().scans.map(({ section }) => section))).toEqual(new Set(['1', '2', '3']))
  expect(plex.state().scans.every(({ force }) => force)).toBe(true)
})

test('what a scan adds is posted to the webhooks as a form with a picture', async () => {
  const posts: FormData[] = []
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' }
      posts.push(await new Response(Buffer.concat(chunks), { headers }).formData())
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void receiver.close())
  const address = receiver.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`

  const { plex, folder } = await startPlex()
  plex.setWebhookUrls([url])
  await place(folder, 'new one.mp4')
  await plex.scan('3')
  await vi.waitFor(() => expect(posts).toHaveLength(1))
  expect(await plex.sendWebhook('media.play', '1')).toEqual([202])
  expect(await plex.sendWebhook('device.new')).toEqual([202])

  const [added, played, device] = posts.map((form) => JSON.parse(String(form.get('payload'))))
  expect(added).toMatchObject({
    event: 'library.new',
    Account: { id: 1 },
    Server: { uuid: plex.machineIdentifier },
    Metadata: { title: 'new one', librarySectionID: 3, librarySectionType: 'movie' },
  })
  expect(played).toMatchObject({ event: 'media.play', Player: { local: true }, Metadata: { ratingKey: '1' } })
  expect(device).not.toHaveProperty('Metadata')
  const thumb = posts[0]?.get('thumb')
  const bytes = thumb instanceof File ? Buffer.from(await thumb.arrayBuffer()) : Buffer.alloc(0)
  expect(bytes.subarray(0, 2).toString('hex')).toBe('ffd8')
  expect(posts[2]?.has('thumb')).toBe(false)
})

test('an address that does not answer counts as 0', async () => {
  const { plex } = await startPlex()
  plex.setWebhookUrls(['http://127.0.0.1:1/hook'])
  expect(await plex.sendWebhook('media.stop', '1')).toEqual([0])
})
