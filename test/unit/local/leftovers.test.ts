import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { endLeftovers, noteProcesses } from '../../../scripts/local/leftovers.ts'
import { temporaryFolder } from './temporary-folder.ts'

async function idleProcess() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const { pid } = child
  if (pid === undefined) throw new Error('no process')
  return { child, pid }
}

test('what a killed run left behind is ended by the next', async () => {
  const folder = await temporaryFolder()
  const { child, pid } = await idleProcess()
  noteProcesses(folder).started(pid)
  const ended = once(child, 'exit')
  await endLeftovers(folder)
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(existsSync(join(folder, 'processes.json'))).toBe(false)
})

test('a process that only got the same number since is left alone', async () => {
  const folder = await temporaryFolder()
  const { child, pid } = await idleProcess()
  noteProcesses(folder).started(pid)
  const file = join(folder, 'processes.json')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/"identity": "[^"]+"/, '"identity": "another start"'))
  await endLeftovers(folder)
  expect(child.exitCode ?? child.signalCode).toBe(null)
})

test('a process that ended, or a run that ended in order, leaves nothing to end', async () => {
  const folder = await temporaryFolder()
  const { child, pid } = await idleProcess()
  const note = noteProcesses(folder)
  note.started(pid)
  note.ended(pid)
  await endLeftovers(folder)
  expect(child.exitCode ?? child.signalCode).toBe(null)
  note.started(pid)
  note.close()
  await endLeftovers(folder)
  expect(child.exitCode ?? child.signalCode).toBe(null)
})
