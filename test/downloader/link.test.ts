import { expect, onTestFinished, test } from 'vitest'
import type { FromDownloader } from '#contract/downloader-link.ts'
import { openLink, type LinkTiming, type Received } from '../../downloader/link.ts'
import { createLog } from '../../downloader/log.ts'
import { eventually } from './support/launch.ts'
import { startScriptedWorker, type ScriptedWorker } from './support/scripted-worker.ts'

const quick: LinkTiming = {
  pingMs: 20,
  silenceMs: 200,
  welcomeMs: 200,
  baseDelayMs: 10,
  maxDelayMs: 40,
  heldMs: 60_000,
  replacedMs: 10,
  maxReplacedMs: 40,
}

const hello: FromDownloader = {
  type: 'hello',
  protocol: 1,
  downloaderId: 'under-test',
  versions: { downloader: '0', node: '24' },
  slots: 1,
  state: { freeBytes: 1, troubles: [] },
  holding: [],
}
const state: FromDownloader = { type: 'state', state: { freeBytes: 2, troubles: [] } }

async function connect(
  changes: { token?: string; random?: () => number; timing?: Partial<LinkTiming> } = {},
) {
  const worker: ScriptedWorker = await startScriptedWorker()
  const received: Received[] = []
  const lines: string[] = []
  const signs = { alive: 0, quiet: 0 }
  const link = openLink({
    url: worker.url,
    token: changes.token ?? worker.token,
    hello: () => hello,
    receive: (message) => received.push(message),
    onAlive: () => (signs.alive += 1),
    onQuiet: () => (signs.quiet += 1),
    random: changes.random ?? (() => 1),
    log: createLog({ write: (line) => lines.push(line), now: () => new Date(0), secrets: [worker.token] }),
    timing: { ...quick, ...changes.timing },
  })
  onTestFinished(async () => {
    link.close()
    await worker.close()
  })
  return { worker, link, received, lines, signs }
}

test('the first word is a greeting, the token travels in a header', async () => {
  const { worker, link, received } = await connect()
  expect(await worker.hear('hello')).toEqual(hello)
  await eventually(() => link.connected())
  expect(received).toEqual([{ type: 'welcome', drop: [] }])
})

test('nothing but the greeting is said before the welcome', async () => {
  const { worker, link } = await connect()
  worker.greet = undefined
  link.send(state)
  await worker.hear('hello')
  link.send(state)
  await eventually(() => worker.connections() > 1)
  expect(worker.heard.every(({ type }) => type === 'hello')).toBe(true)
})

test('a lost connection is taken up again, and greeted anew', async () => {
  const { worker, link } = await connect()
  for (const connections of [1, 2, 3]) {
    await eventually(() => worker.connections() === connections && link.connected())
    worker.disconnect()
  }
  await eventually(() => worker.connections() === 4 && link.connected())
  expect(worker.heard.filter(({ type }) => type === 'hello')).toHaveLength(4)
})

test('a Worker that has gone silent is left', async () => {
  const { worker, link } = await connect()
  await eventually(() => link.connected())
  worker.pongs = false
  await eventually(() => worker.connections() > 1)
})

test('pings keep a quiet connection', async () => {
  const { worker, link, signs } = await connect()
  await eventually(() => link.connected())
  await eventually(() => signs.alive > 20 && signs.quiet > 20)
  expect(worker.connections()).toBe(1)
})

const delaysIn = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => (JSON.parse(line) as { delayMs?: number }).delayMs ?? [])

test('a refused token is tried again, at a growing distance, explained, and never logged', async () => {
  const { worker, lines } = await connect({ token: 'wrong-token-altogether' })
  await eventually(() => delaysIn(lines).length >= 5 && lines.join().includes('DOWNLOADER_TOKEN'))
  expect(worker.connections()).toBe(0)
  expect(delaysIn(lines).slice(0, 5)).toEqual([10, 20, 40, 40, 40])
  expect(lines.join()).not.toContain('wrong-token')
})

test('the delay is drawn by lot, so that many do not return at once', async () => {
  const { lines } = await connect({ token: 'wrong-token-altogether', random: () => 0.5 })
  await eventually(() => delaysIn(lines).length >= 3)
  expect(delaysIn(lines).slice(0, 3)).toEqual([5, 10, 20])
})

/** Closes each of four connections once it has been greeted and has lasted for so many pings. */
async function dismissEach(
  { worker, link, signs }: Awaited<ReturnType<typeof connect>>,
  code: number,
  pings = 0,
): Promise<void> {
  for (const connections of [1, 2, 3, 4]) {
    await eventually(() => worker.connections() === connections && link.connected())
    const before = signs.quiet
    await eventually(() => signs.quiet >= before + pings)
    worker.dismiss(code)
  }
}

test('a Worker that greets and then hangs up is left alone for longer each time', async () => {
  const connected = await connect()
  await dismissEach(connected, 1011)
  await eventually(() => delaysIn(connected.lines).length === 4)
  expect(delaysIn(connected.lines)).toEqual([10, 20, 40, 40])
})

test('a connection that has held for a while makes up for those that failed', async () => {
  const connected = await connect({ timing: { heldMs: 0 } })
  await dismissEach(connected, 1011, 2)
  await eventually(() => delaysIn(connected.lines).length === 4)
  expect(delaysIn(connected.lines)).toEqual([10, 10, 10, 10])
})

test('one whose place another of the same name has taken says so and stays away for long', async () => {
  const connected = await connect()
  await dismissEach(connected, 4409)
  await eventually(() => delaysIn(connected.lines).length === 4)
  expect(delaysIn(connected.lines)).toEqual([20, 40, 80, 80])
  const said = connected.lines.filter((line) => line.includes('another downloader'))
  expect(said).toHaveLength(4)
  expect(said[0]).toContain('"level":"error"')
  expect(said[0]).toContain('DOWNLOADER_ID of its own')
})

test('while another has its place it is not connected', async () => {
  const { worker, link, lines } = await connect({ timing: { replacedMs: 60_000, maxReplacedMs: 60_000 } })
  await eventually(() => link.connected())
  worker.dismiss(4409)
  await eventually(() => delaysIn(lines).length === 1)
  expect(link.connected()).toBe(false)
  expect(delaysIn(lines)).toEqual([120_000])
})

test('what is not understood is passed over', async () => {
  const { worker, link, received } = await connect()
  await eventually(() => link.connected())
  worker.say({ type: 'news' } as never)
  worker.say({ type: 'offer', job: { jobId: 'no' } } as never)
  worker.say({ type: 'welcome', drop: [], unknown: 'member' } as never)
  await eventually(() => received.length === 2)
  expect(link.connected()).toBe(true)
})

test('a closed link stays closed', async () => {
  const { worker, link } = await connect()
  await eventually(() => link.connected())
  link.close()
  link.send(state)
  await new Promise((resolve) => {
    setTimeout(resolve, 100)
  })
  expect(worker.connections()).toBe(1)
  expect(worker.heard.map(({ type }) => type)).toEqual(['hello'])
})
