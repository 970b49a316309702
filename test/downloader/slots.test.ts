import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { FromDownloader, Job, Outcome } from '#contract/downloader-link.ts'
import type { JobReport } from '../../downloader/job.ts'
import { createLog } from '../../downloader/log.ts'
import { openOutbox, type Outbox } from '../../downloader/outbox.ts'
import { createSlots } from '../../downloader/slots.ts'
import { createFailure } from '../../downloader/ytdlp/failure.ts'
import { jobFor } from './support/scripted-worker.ts'

type Run = {
  readonly job: Job
  readonly report: JobReport
  readonly signal: AbortSignal
  readonly end: (outcome: Outcome | undefined) => Promise<void>
}

const failed: Outcome = { kind: 'failed', failure: createFailure('network') }
const newJob = (): Job => jobFor('https://videos.example/watch/a')
const leasedOf = ({ jobId, lease }: Job) => ({ jobId, lease })

type Circumstances = {
  limit?: number
  space?: boolean
  visits?: boolean
  outbox?: Outbox
  placed?: Outcome
}

async function slots({ limit = 2, space = true, visits = true, outbox: known, placed }: Circumstances = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-slots-'))
  const outbox = known ?? openOutbox(join(folder, 'downloader.db'))
  onTestFinished(async () => {
    if (!known) outbox.close()
    await rm(folder, { recursive: true, force: true })
  })
  const said: FromDownloader[] = []
  const runs: Run[] = []
  const cleared: string[] = []
  const timeouts: { run: () => void; ms: number }[] = []
  const clock = { now: 0 }
  const tick = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve)
    })
  const made = createSlots({
    limit,
    outbox,
    send: (message) => said.push(message),
    hasSpace: () => space,
    admitsVisit: () => visits,
    placed: () => placed,
    clear: async (jobId) => void cleared.push(jobId),
    timers: {
      now: () => clock.now,
      setTimeout: (run, ms) => {
        timeouts.push({ run, ms })
        return setTimeout(() => undefined, 0)
      },
    },
    log: createLog({ write: () => undefined, now: () => new Date(0), secrets: [] }),
    run: (job, report, signal) =>
      new Promise((resolve) => {
        const end = async (outcome: Outcome | undefined): Promise<void> => {
          resolve(outcome)
          await tick()
          await tick()
        }
        runs.push({ job, report, signal, end })
        const abort = (): void =>
          resolve(signal.reason === 'dropped' ? undefined : { kind: signal.reason as 'cancelled' })
        if (signal.aborted) abort()
        signal.addEventListener('abort', abort)
      }),
  })
  return { ...made, outbox, said, runs, cleared, clock, timeouts, tick }
}

const of = <T extends FromDownloader['type']>(said: readonly FromDownloader[], type: T) =>
  said.filter((message): message is Extract<FromDownloader, { type: T }> => message.type === type)

test('a job is held before it is accepted, and ends with one result', async () => {
  const { offer, said, runs, outbox, tick } = await slots()
  const job = newJob()
  offer(job)
  expect(outbox.held()).toEqual([job])
  await tick()
  await runs[0]?.end(failed)
  expect(said).toEqual([
    { type: 'accepted', ...leasedOf(job) },
    { type: 'result', ...leasedOf(job), outcome: failed },
  ])
  expect(outbox.held()).toEqual([])
})

test('what does not fit is declined, with the reason', async () => {
  const full = await slots({ limit: 1 })
  full.offer(newJob())
  full.offer(newJob())
  expect(of(full.said, 'declined').map(({ reason }) => reason)).toEqual(['no-slot'])

  const tight = await slots({ space: false })
  tight.offer(newJob())
  expect(of(tight.said, 'declined').map(({ reason }) => reason)).toEqual(['no-space'])
  await tight.stop()
  tight.offer(newJob())

  const resting = await slots({ visits: false })
  resting.offer(newJob())
  expect(of(resting.said, 'declined').map(({ reason }) => reason)).toEqual(['site'])
  expect(of(tight.said, 'declined').map(({ reason }) => reason)).toEqual(['no-space', 'stopping'])
})

test('a job granted anew goes on under the new lease, and its result bears it', async () => {
  const { offer, said, runs, tick } = await slots()
  const job = newJob()
  offer(job)
  await tick()
  offer({ ...job, lease: 2 })
  await runs[0]?.end(failed)
  expect(runs).toHaveLength(1)
  expect(of(said, 'result')).toEqual([{ type: 'result', ...leasedOf(job), lease: 2, outcome: failed }])
})

test('a cancelled job says so once; a stale lease cancels nothing', async () => {
  const { offer, cancel, said, runs, tick } = await slots()
  const job = { ...newJob(), lease: 5 }
  offer(job)
  await tick()
  cancel({ jobId: job.jobId, lease: 4 })
  expect(runs[0]?.signal.aborted).toBe(false)
  cancel(leasedOf(job))
  await tick()
  await tick()
  cancel(leasedOf(job))
  const results = of(said, 'result')
  expect(new Set(results.map(({ outcome }) => outcome.kind))).toEqual(new Set(['cancelled']))
})

test('an unknown job that is cancelled gets its word too', async () => {
  const { cancel, said, cleared } = await slots()
  const job = newJob()
  cancel(leasedOf(job))
  expect(of(said, 'result')).toEqual([{ type: 'result', ...leasedOf(job), outcome: { kind: 'cancelled' } }])
  expect(cleared).toEqual([job.jobId])
})

test('dropped jobs end without a result, others go on and are announced again', async () => {
  const { offer, welcome, said, runs, outbox, tick } = await slots()
  const [kept, lost] = [newJob(), newJob()]
  offer(kept)
  offer(lost)
  await tick()
  runs[0]?.report.started({ id: 'a', title: 'A', availableHeights: [], availableQualities: ['best'] })
  said.length = 0
  welcome([lost.jobId])
  await tick()
  await tick()
  expect(of(said, 'result')).toEqual([])
  expect(of(said, 'started').map(({ jobId }) => jobId)).toEqual([kept.jobId])
  expect(outbox.held()).toEqual([kept])
  expect(runs[0]?.signal.aborted).toBe(false)
})

test('jobs held from before a crash go on after the greeting, unless dropped', async () => {
  const { outbox, welcome, holding, runs, cleared, tick } = await slots()
  const [kept, lost] = [newJob(), newJob()]
  outbox.hold(kept)
  outbox.hold(lost)
  expect(holding()).toEqual([leasedOf(kept), leasedOf(lost)])
  await tick()
  expect(runs).toEqual([])
  welcome([lost.jobId])
  await tick()
  expect(runs.map(({ job }) => job)).toEqual([kept])
  expect(cleared).toEqual([lost.jobId])
})

test('results are said again after each greeting until acknowledged, always the same', async () => {
  const { offer, welcome, said, runs, outbox, tick } = await slots()
  const job = newJob()
  offer(job)
  await tick()
  await runs[0]?.end(failed)
  welcome([])
  welcome([])
  outbox.acknowledge(leasedOf(job))
  welcome([])
  expect(of(said, 'result')).toEqual(
    Array.from({ length: 3 }, () => ({ type: 'result', ...leasedOf(job), outcome: failed })),
  )
})

test('in between, only what has waited for a while is said again', async () => {
  const { offer, resend, said, runs, tick } = await slots()
  offer(newJob())
  await tick()
  await runs[0]?.end(failed)
  resend()
  expect(of(said, 'result')).toHaveLength(1)
  resend()
  expect(of(said, 'result')).toHaveLength(2)
})

test('an offer of a job whose result is waiting is answered with the result', async () => {
  const { offer, said, runs, tick } = await slots()
  const job = newJob()
  offer(job)
  await tick()
  await runs[0]?.end(failed)
  offer(job)
  expect(of(said, 'result')).toHaveLength(2)
  expect(runs).toHaveLength(1)
})

test('a cancel of what is not known here removes what lies there, and tells of a file that is in place', async () => {
  const leased = { jobId: crypto.randomUUID(), lease: 3 }
  const known = await slots()
  known.cancel(leased)
  expect(known.said).toEqual([{ type: 'result', ...leased, outcome: { kind: 'cancelled' } }])
  expect(known.cleared).toEqual([leased.jobId])

  const file = { name: 'a.mp4', bytes: 1, sha256: 'a'.repeat(64) }
  const outcome: Outcome = { kind: 'completed', plexPath: '/media/a.mp4', file }
  const holder = await slots({ placed: outcome })
  holder.cancel(leased)
  expect(holder.said).toEqual([{ type: 'result', ...leased, outcome }])
})

test('on stopping, running jobs are given back', async () => {
  const { offer, stop, said } = await slots()
  const job = newJob()
  offer(job)
  await stop()
  expect(of(said, 'result')).toEqual([{ type: 'result', ...leasedOf(job), outcome: { kind: 'returned' } }])
})

test('progress is said at most four times a second, and the newest is not lost', async () => {
  const { offer, said, runs, clock, timeouts, tick } = await slots()
  offer(newJob())
  await tick()
  for (let percent = 0; percent < 100; percent += 1) {
    clock.now = percent
    runs[0]?.report.progress({ phase: 'downloading', percent })
  }
  expect(of(said, 'progress').map(({ progress }) => progress.percent)).toEqual([0])
  expect(timeouts.map(({ ms }) => ms)).toEqual([249])
  clock.now = 250
  timeouts[0]?.run()
  expect(of(said, 'progress').map(({ progress }) => progress.percent)).toEqual([0, 99])
})

test('a job begun anew after a crash tells no less than was told before, unless it is another try', async () => {
  const job = newJob()
  const told = async (attempt: number, percent: number, outbox?: Outbox) => {
    const life = await slots({ ...(outbox && { outbox }) })
    life.offer({ ...job, attempt })
    await life.tick()
    life.runs[0]?.report.progress({ phase: 'downloading', percent })
    const percents = life.said.flatMap((said) => (said.type === 'progress' ? [said.progress.percent] : []))
    return { percents, outbox: life.outbox }
  }
  const { outbox, percents } = await told(1, 42)
  expect(percents).toEqual([42])
  expect((await told(1, 3, outbox)).percents).toEqual([45])
  expect((await told(2, 3, outbox)).percents).toEqual([3])
})
