import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { leaseMs } from '#contract/downloader-link.ts'
import { Health, offerHealth, serveHealth, watchHealth, type HealthFacts } from '../../downloader/health.ts'
import { createLog } from '../../downloader/log.ts'
import { run } from '../../scripts/tools/run.ts'

const facts: HealthFacts = {
  downloaderId: 'under-test',
  connected: true,
  slots: 2,
  running: 1,
  outbox: 0,
  freeBytes: 1,
  troubles: [],
  versions: { downloader: '0.1.0', node: '24' },
}
const lost = { ...facts, connected: false }

function watchAt() {
  let now = 0
  const watch = watchHealth(() => now)
  return {
    ...watch,
    at: (moment: number) => {
      now = moment
    },
    says: (given: HealthFacts) => {
      const { well, health } = watch.report(given)
      return [well, health.status, Date.parse(health.since)]
    },
  }
}

test('it is well from the first word of the Worker to a lease after the last', () => {
  const { heard, at, says } = watchAt()
  expect(says(lost)).toEqual([false, 'starting', 0])
  at(1000)
  heard(false)
  at(5000)
  heard(true)
  expect(says(facts)).toEqual([true, 'ok', 1000])
  at(5000 + leaseMs - 1)
  expect(says(lost)).toEqual([true, 'degraded', 5000])
  at(5000 + leaseMs)
  expect(says(lost)).toEqual([false, 'degraded', 5000])
  heard(false)
  expect(says(facts)).toEqual([true, 'ok', 5000 + leaseMs])
})

test('troubles are told, and no reason to start it anew', () => {
  const { heard, says } = watchAt()
  heard(false)
  expect(says({ ...facts, troubles: ['low-space'] })).toEqual([true, 'degraded', 0])
})

test('what is stopping is not well', () => {
  const { heard, stopping, says } = watchAt()
  heard(false)
  stopping()
  expect(says(facts)).toEqual([false, 'stopping', 0])
})

test('it is told to this machine alone, at one address', async () => {
  const watch = watchHealth(() => 0)
  const { port, close } = await serveHealth(0, () => watch.report(facts))
  onTestFinished(close)
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method })
  const starting = await ask('/health')
  expect(starting.status).toBe(503)
  expect(Health.parse(await starting.json())).toMatchObject({ status: 'starting', ...facts })
  watch.heard(false)
  expect((await ask('/health')).status).toBe(200)
  expect((await ask('/')).status).toBe(404)
  expect((await ask('/health', 'POST')).status).toBe(405)
  // The second is of this machine, too, and there whether or not it has a network.
  const elsewhere = ['[::1]', '127.0.0.2', ...addresses()]
  for (const host of elsewhere) await expect(fetch(`http://${host}:${port}/health`), host).rejects.toThrow()
})

/** Where others on the network would ask. */
const addresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((known = []) =>
    known.flatMap(({ internal, family, address }) => (internal || family !== 'IPv4' ? [] : [address])),
  )

async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-health-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('where the port is taken it goes on without being asked, and says so', async () => {
  const report = () => watchHealth(() => 0).report(facts)
  const { port, close } = await serveHealth(0, report)
  onTestFinished(close)
  const lines: string[] = []
  const log = createLog({ write: (line) => lines.push(line), now: () => new Date(0), secrets: [] })
  const healthPort = join(await folderOfTest(), 'health-port')
  await (
    await offerHealth({ healthPort: port }, { healthPort }, report, log)
  )()
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'error', port, error: expect.stringContaining('EADDRINUSE') }),
  ])
  await expect(readFile(healthPort)).rejects.toThrow('ENOENT')
})

test('the check of the container asks for its own downloader, and is content with no other', async () => {
  const watch = watchHealth(() => 0)
  watch.heard(false)
  const { port, close } = await serveHealth(0, () => watch.report(facts))
  onTestFinished(close)
  const env = {
    LINK_URL: 'wss://medianest.example/api/downloader/link',
    DOWNLOADER_TOKEN: 'a-token-of-some-length',
    LIBRARY_DIR: await folderOfTest(),
    HEALTH_PORT: String(port),
  }
  const check = async (downloaderId: string): Promise<boolean> => {
    const file = resolve(import.meta.dirname, '../../downloader/healthcheck.ts')
    return (await run(process.execPath, [file], { env: { ...env, DOWNLOADER_ID: downloaderId } })).ok
  }
  expect(await Promise.all([check('under-test'), check('another')])).toEqual([true, false])
})
