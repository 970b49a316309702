import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Outcome } from '#contract/downloader-link.ts'
import { createFailure } from '../../downloader/ytdlp/failure.ts'
import { openOutbox } from '../../downloader/outbox.ts'
import { jobFor } from './support/scripted-worker.ts'

async function temporaryDatabase(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-outbox-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'downloader.db')
}

const cancelled: Outcome = { kind: 'cancelled' }
const failed: Outcome = { kind: 'failed', failure: createFailure('network') }
const job = jobFor('https://videos.example/watch/a')
const leased = { jobId: job.jobId, lease: job.lease }

test('held jobs and unacknowledged results outlive the process', async () => {
  const path = await temporaryDatabase()
  const other = jobFor('https://videos.example/watch/b', { lease: 7 })
  const first = openOutbox(path)
  first.hold(job)
  first.hold(other)
  first.settle({ ...leased, outcome: failed })
  first.close()

  const second = openOutbox(path)
  expect(second.held()).toEqual([other])
  expect(second.unacknowledged()).toEqual([{ ...leased, outcome: failed }])
  second.close()
})

test('a lease has one result: a second one changes nothing', async () => {
  const outbox = openOutbox(await temporaryDatabase())
  outbox.hold(job)
  expect(outbox.settle({ ...leased, outcome: failed }).outcome).toEqual(failed)
  expect(outbox.settle({ ...leased, outcome: cancelled }).outcome).toEqual(failed)
  expect(outbox.unacknowledged()).toEqual([{ ...leased, outcome: failed }])
  outbox.close()
})

test('an acknowledgement takes the result of its own lease only', async () => {
  const outbox = openOutbox(await temporaryDatabase())
  outbox.settle({ ...leased, outcome: failed })
  outbox.settle({ ...leased, lease: 2, outcome: cancelled })
  outbox.acknowledge({ ...leased, lease: 3 })
  expect(outbox.unacknowledged()).toHaveLength(2)
  outbox.acknowledge(leased)
  expect(outbox.unacknowledged()).toEqual([{ ...leased, lease: 2, outcome: cancelled }])
  outbox.close()
})

test('a dropped job leaves neither itself nor a result', async () => {
  const outbox = openOutbox(await temporaryDatabase())
  outbox.hold(job)
  outbox.settle({ ...leased, lease: 9, outcome: failed })
  outbox.hold(job)
  outbox.drop(job.jobId)
  expect([...outbox.held(), ...outbox.unacknowledged()]).toEqual([])
  outbox.close()
})

test('a new grant replaces the old one', async () => {
  const outbox = openOutbox(await temporaryDatabase())
  outbox.hold(job)
  outbox.hold({ ...job, lease: 2 })
  expect(outbox.held()).toEqual([{ ...job, lease: 2 }])
  outbox.close()
})

test('placements are remembered for their time', async () => {
  const outbox = openOutbox(await temporaryDatabase())
  const placement = {
    path: '/library/a.mp4',
    plexPath: '/plex/a.mp4',
    file: { name: 'a.mp4', bytes: 1, sha256: 'a'.repeat(64) },
  }
  outbox.recordPlacement(job.jobId, placement, 1000)
  outbox.forgetPlacementsBefore(1000)
  expect(outbox.placement(job.jobId)).toEqual(placement)
  outbox.forgetPlacementsBefore(1001)
  expect(outbox.placement(job.jobId)).toBeUndefined()
  outbox.close()
})

test('two downloaders cannot share one outbox', async () => {
  const path = await temporaryDatabase()
  const first = openOutbox(path)
  expect(() => openOutbox(path)).toThrow(/locked/)
  first.close()
  openOutbox(path).close()
})
