import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Demo } from '../../scripts/local/demo-file.ts'
import { freePort, isFree } from '../../scripts/local/ports.ts'

type Run = { readonly child: ChildProcess; readonly said: () => string; readonly ended: Promise<unknown[]> }

/** Runs the program as `npm start` does, with a place of its own. */
function start(stateFolder: string, port: number, env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [resolve('scripts/start.ts')], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      MEDIANEST_STATE: stateFolder,
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
  }
  return { child, said: () => text, ended: once(child, 'exit') }
}

async function place(): Promise<{ folder: string; port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-start-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return { folder, port: await freePort(undefined) }
}

async function ready(run: Run, port: number): Promise<void> {
  const line = `MediaNest is ready at http://127.0.0.1:${port}\n`
  const saysSo = expect.poll(run.said, { timeout: 120_000, interval: 50 }).toContain(line)
  const endsFirst = run.ended.then(() => expect(run.said()).toContain(line))
  await Promise.race([saysSo, endsFirst])
}

/** Not even as the shadow of a process that nobody has asked after. */
function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}

/** The processes that the run has started, by its own account. */
const helpersIn = (folder: string): { pid: number }[] =>
  JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8'))

const demoIn = (folder: string): Demo =>
  Demo.parse(JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8')))

async function whoAmI({ baseUrl }: Demo, accessToken: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` }
  const answer = await fetch(`${baseUrl}/api/auth/session`, { headers })
  return ((await answer.json()) as { data: { user: unknown } }).data.user
}

test('once it says that it is ready it is, for an admin and two friends; asked to stop, it stops', async () => {
  const { folder, port } = await place()
  const run = start(folder, port)
  await ready(run, port)
  expect(run.said()).toContain('this is the demo')
  const demo = demoIn(folder)
  expect(statSync(join(folder, 'demo.json')).mode & 0o777).toBe(0o600)
  expect(await whoAmI(demo, demo.admin.accessToken)).toMatchObject({ username: 'olivia', role: 'admin' })
  const [frank, fatima] = demo.friends
  if (!frank || !fatima) throw new Error('a friend is missing')
  expect(await whoAmI(demo, frank.accessToken)).toMatchObject({ id: frank.userId, role: 'user' })
  expect(await whoAmI(demo, fatima.accessToken)).toMatchObject({ id: fatima.userId, role: 'user' })

  const helpers = helpersIn(folder)
  expect(helpers).toHaveLength(2)
  run.child.kill('SIGINT')
  expect(await run.ended).toEqual([0, null])
  expect(helpers.filter(({ pid }) => isAlive(pid))).toEqual([])
  expect(existsSync(join(folder, 'demo.json'))).toBe(false)
  const places = [demo.plex, demo.plexTv, demo.videoSite].map(({ url }) => Number(new URL(url).port))
  for (const place of [port, ...places]) expect(await isFree(place)).toBe(true)
})

test('killed and started again, it goes on where it was', async () => {
  const { folder, port } = await place()
  const killed = start(folder, port)
  await ready(killed, port)
  const before = demoIn(folder)
  const helpers = helpersIn(folder)
  expect(helpers).toHaveLength(2)
  killed.child.kill('SIGKILL')
  await killed.ended

  const again = start(folder, port)
  await ready(again, port)
  const after = demoIn(folder)
  expect(after).toMatchObject({ webhooks: before.webhooks, plex: before.plex, videoSite: before.videoSite })
  expect(after.admin.userId).toBe(before.admin.userId)
  // The token from before the crash is still good: keys, sessions and databases are the same.
  expect(await whoAmI(after, before.admin.accessToken)).toMatchObject({ username: 'olivia' })
  expect(helpers.filter(({ pid }) => isAlive(pid))).toEqual([])

  const second = start(folder, await freePort(undefined))
  expect(await second.ended).toEqual([1, null])
  expect(second.said()).toContain('already running')
  again.child.kill('SIGTERM')
  expect(await again.ended).toEqual([0, null])
})

test('a port that is taken, and a setting that is wrong, are named at once', async () => {
  const { folder, port } = await place()
  const other = createServer()
  await new Promise<void>((done) => other.listen(port, '127.0.0.1', done))
  onTestFinished(() => void other.close())
  const taken = start(folder, port)
  expect(await taken.ended).toEqual([1, null])
  expect(taken.said()).toContain(`Port ${port} is taken`)

  const open = start(folder, await freePort(undefined), {
    PLEX_URL: 'http://192.0.2.7:32400',
    PLEX_MACHINE_IDENTIFIER: 'abcdef0123456789',
  })
  expect(await open.ended).toEqual([1, null])
  expect(open.said()).toMatch(/PLEX_URL: must be https/)
})

test('stopped before it is ready, it leaves nothing behind', async () => {
  const { folder, port } = await place()
  const run = start(folder, port)
  await expect.poll(run.said, { timeout: 20_000 }).toContain('Starting')
  run.child.kill('SIGTERM')
  expect(await run.ended).toEqual([0, null])
  await expect.poll(() => isFree(port), { timeout: 5_000 }).toBe(true)
  expect(existsSync(join(folder, 'demo.json'))).toBe(false)
})
