import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { graceAfter, killStrays, terminateGroup } from '../../../downloader/ytdlp/terminate.ts'
import { eventually, processesIn } from '../support/launch.ts'

async function start(script: string) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-terminate-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const inside = join(folder, 'job')
  const child = spawn('sh', ['-c', `mkdir job && cd job && echo ready && ${script}`], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  await new Promise((resolve) => {
    child.stdout.once('data', resolve)
  })
  return { pid: child.pid ?? 0, exited, folder, inside }
}

test('one that listens ends by itself, and its children with it', async () => {
  const { pid, exited, folder } = await start('sleep 100')
  await eventually(async () => (await processesIn(folder)).length > 0)
  const began = performance.now()
  await terminateGroup(pid, exited, 5000)
  expect(performance.now() - began).toBeLessThan(2000)
  await eventually(async () => (await processesIn(folder)).length === 0)
})

test('one that does not listen is killed when its time is up', async () => {
  const { pid, exited, folder } = await start(`trap '' INT; (trap '' INT; sleep 100) & sleep 100; sleep 100`)
  await terminateGroup(pid, exited, 100)
  await eventually(async () => (await processesIn(folder)).length === 0)
})

test('what others go on with is given its time, and what nobody wants is not', () => {
  for (const reason of ['returned', 'stalled', undefined]) expect(graceAfter(reason, 10_000)).toBe(10_000)
  for (const reason of ['cancelled', 'dropped', 'rate-limited']) {
    expect(graceAfter(reason, 10_000)).toBe(1000)
    expect(graceAfter(reason, 100)).toBe(100)
  }
})

test('what a crash has left at work in a folder is ended, and nothing else', async () => {
  const left = await start('sleep 100')
  const other = await start('sleep 100')
  await eventually(async () => (await processesIn(left.folder)).length > 0)
  expect(await killStrays(left.inside)).toBeGreaterThan(0)
  await left.exited
  expect(await processesIn(other.folder)).not.toEqual([])
  await terminateGroup(other.pid, other.exited, 1000)
})
