import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'

import { Job, Outcome } from '#contract/downloader-link.ts'
import { PlacedFile } from '#contract/downloads.ts'
import { Selection, Warning } from '#contract/selection.ts'

export type Leased = { readonly jobId: string; readonly lease: number }
export type Attempt = Pick<Job, 'jobId' | 'attempt'>
export type Result = Leased & { readonly outcome: Outcome }

/** Written before the rename, so that a crash right after it is understood. */
export const Placement = z.object({
  path: z.string(),
  plexPath: z.string(),
  file: PlacedFile,
  selection: Selection.optional(),
  warnings: z.array(Warning).optional(),
})
export type Placement = z.output<typeof Placement>

/**
 * What must outlive the process: jobs held, results nobody has acknowledged, what was placed for a job, and which sites
 * want to be left alone.
 */
export type Outbox = {
  readonly hold: (job: Job) => void
  readonly held: () => Job[]
  /** Ends a held job with its one result; the first one stays, whatever comes after. */
  readonly settle: (result: Result) => Result
  readonly result: (leased: Leased) => Result | undefined
  readonly unacknowledged: () => Result[]
  readonly acknowledge: (leased: Leased) => void
  /** The job is no longer ours: neither it nor a result of it is spoken of again. */
  readonly drop: (jobId: string) => void
  /** How far a held job’s owner may believe it to be, in percent of this attempt. */
  readonly told: (job: Attempt) => number
  readonly noteTold: (job: Attempt, percent: number) => void
  readonly recordPlacement: (jobId: string, placement: Placement, at: number) => void
  readonly placement: (jobId: string) => Placement | undefined
  readonly forgetPlacementsBefore: (at: number) => void
  readonly sites: () => (readonly [name: string, state: unknown])[]
  readonly saveSite: (name: string, state: object) => void
  readonly close: () => void
}

const schema = `
  CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, job TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS results (
    job_id TEXT NOT NULL, lease INTEGER NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (job_id, lease)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS placements (
    job_id TEXT PRIMARY KEY, placement TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS told (
    job_id TEXT PRIMARY KEY, attempt INTEGER NOT NULL, percent INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sites (name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
`

const Row = z.object({ job_id: z.string(), lease: z.int(), outcome: z.string() })
const JobRow = z.object({ job: z.string() })
const PlacementRow = z.object({ placement: z.string() })
const ToldRow = z.object({ percent: z.number() })
const SiteRow = z.object({ name: z.string(), state: z.string() })

/** Opens the outbox for this process alone; throws when another has it. */
export function openOutbox(path: string): Outbox {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`)
  } catch (error) {
    database.close()
    throw error
  }
  return {
    ...jobsAndResults(database),
    ...progress(database),
    ...placements(database),
    ...sites(database),
    close: () => database.close(),
  }
}

function jobsAndResults(database: DatabaseSync) {
  const insertJob = database.prepare('INSERT OR REPLACE INTO jobs (job_id, job) VALUES (?, ?)')
  const allJobs = database.prepare('SELECT job FROM jobs ORDER BY rowid')
  const deleteJob = database.prepare('DELETE FROM jobs WHERE job_id = ?')
  const insertResult = database.prepare(
    'INSERT INTO results (job_id, lease, outcome) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const oneResult = database.prepare(
    'SELECT job_id, lease, outcome FROM results WHERE job_id = ? AND lease = ?',
  )
  const allResults = database.prepare('SELECT job_id, lease, outcome FROM results ORDER BY rowid')
  const deleteResult = database.prepare('DELETE FROM results WHERE job_id = ? AND lease = ?')
  const forgetTold = database.prepare('DELETE FROM told WHERE job_id = ?')
  const deleteResults = database.prepare('DELETE FROM results WHERE job_id = ?')

  const result = ({ jobId, lease }: Leased): Result | undefined => {
    const row = oneResult.get(jobId, lease)
    return row && toResult(row)
  }
  return {
    hold: (job: Job): void => {
      insertJob.run(job.jobId, JSON.stringify(job))
    },
    held: (): Job[] => allJobs.all().flatMap((row) => parseStored(Job, JobRow.parse(row).job) ?? []),
    settle: (settled: Result): Result => {
      atomically(database, () => {
        deleteJob.run(settled.jobId)
        forgetTold.run(settled.jobId)
        insertResult.run(settled.jobId, settled.lease, JSON.stringify(settled.outcome))
      })
      return result(settled) ?? settled
    },
    result,
    unacknowledged: (): Result[] => allResults.all().map(toResult),
    acknowledge: ({ jobId, lease }: Leased): void => {
      deleteResult.run(jobId, lease)
    },
    drop: (jobId: string): void =>
      atomically(database, () => {
        deleteJob.run(jobId)
        forgetTold.run(jobId)
        deleteResults.run(jobId)
      }),
  }
}

function progress(database: DatabaseSync) {
  const insert = database.prepare('INSERT OR REPLACE INTO told (job_id, attempt, percent) VALUES (?, ?, ?)')
  const one = database.prepare('SELECT percent FROM told WHERE job_id = ? AND attempt = ?')
  return {
    told: ({ jobId, attempt }: Attempt): number => {
      const row = one.get(jobId, attempt)
      return row === undefined ? 0 : ToldRow.parse(row).percent
    },
    noteTold: ({ jobId, attempt }: Attempt, percent: number): void => {
      insert.run(jobId, attempt, percent)
    },
  }
}

function placements(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT OR REPLACE INTO placements (job_id, placement, at) VALUES (?, ?, ?)',
  )
  const one = database.prepare('SELECT placement FROM placements WHERE job_id = ?')
  const forget = database.prepare('DELETE FROM placements WHERE at < ?')
  return {
    recordPlacement: (jobId: string, placement: Placement, at: number): void => {
      insert.run(jobId, JSON.stringify(placement), at)
    },
    placement: (jobId: string): Placement | undefined => {
      const row = one.get(jobId)
      return row && parseStored(Placement, PlacementRow.parse(row).placement)
    },
    forgetPlacementsBefore: (at: number): void => {
      forget.run(at)
    },
  }
}

function sites(database: DatabaseSync) {
  const all = database.prepare('SELECT name, state FROM sites ORDER BY rowid')
  const insert = database.prepare(
    'INSERT INTO sites (name, state) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state',
  )
  return {
    sites: () =>
      all.all().map((row): readonly [string, unknown] => {
        const { name, state } = SiteRow.parse(row)
        return [name, JSON.parse(state)]
      }),
    saveSite: (name: string, state: object): void => {
      insert.run(name, JSON.stringify(state))
    },
  }
}

function atomically(database: DatabaseSync, write: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    write()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

function toResult(row: unknown): Result {
  const { job_id, lease, outcome } = Row.parse(row)
  return { jobId: job_id, lease, outcome: Outcome.parse(JSON.parse(outcome)) }
}

/** A newer downloader may have written what this one cannot read. */
function parseStored<T>(type: z.ZodType<T>, text: string): T | undefined {
  return type.safeParse(JSON.parse(text)).data
}
