import { expect, test } from 'vitest'
import { eventually, launch, temporaryLibrary } from './support/launch.ts'
import { startScriptedWorker } from './support/scripted-worker.ts'

/** Something that nobody foresaw, at a sign. */
const failing = (how: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`process.once('SIGUSR2',${how})`)}`

test.concurrent.for([
  ['an error', `()=>{throw new Error('unforeseen')}`, 'uncaughtException'],
  ['a promise', `async()=>{throw new Error('unforeseen')}`, 'unhandledRejection'],
] as const)('%s that nobody handles ends it with one line in the log', async ([, how, origin], test) => {
  const [worker, library] = await Promise.all([startScriptedWorker(), temporaryLibrary()])
  test.onTestFinished(() => Promise.all([worker.close(), library.remove()]).then(() => undefined))
  const { child, log, ended } = launch(worker, library.path, {
    NODE_OPTIONS: failing(how),
    YT_DLP_PATH: '/nonexistent/yt-dlp',
  })
  test.onTestFinished(() => void child.kill('SIGKILL'))
  await worker.hear('hello')
  child.kill('SIGUSR2')
  expect(await ended).toBe(1)
  await eventually(() => log.join().includes('crashed'))
  expect(JSON.parse(log.at(-1) ?? '')).toMatchObject({
    level: 'error',
    event: 'crashed',
    error: 'Error: unforeseen',
    origin,
    stack: expect.arrayContaining([expect.stringMatching(/^at /)]),
  })
})
