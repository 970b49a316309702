import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { lockState } from '../../../scripts/local/state-lock.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('one at a time has the state, until it lets go', async () => {
  const folder = await temporaryFolder()
  const lock = lockState(folder)
  expect(lockState(folder)).toBeUndefined()
  lock?.release()
  const next = lockState(folder)
  expect(next).toBeDefined()
  next?.release()
})

test('a process that is killed lets go, too', async () => {
  const folder = await temporaryFolder()
  const module = pathToFileURL(resolve('scripts/local/state-lock.ts')).href
  const program = `
    const { lockState } = await import(${JSON.stringify(module)})
    console.log(lockState(${JSON.stringify(folder)}) ? 'locked' : 'refused')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  expect(String(said).trim()).toBe('locked')
  expect(lockState(folder)).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = lockState(folder)
  expect(lock).toBeDefined()
  lock?.release()
})
