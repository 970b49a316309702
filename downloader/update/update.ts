import type { FailureCode } from '#contract/failures.ts'
import type { YtDlpFacts } from '../versions.ts'
import { installed, isNewer, isRelease } from './programs.ts'
import type { Choice, Programs } from './programs.ts'
import { fetchRelease, newestVersion, ReleaseUnusable } from './release.ts'
import type { ReleaseProblem } from './release.ts'

/** Why the old version stays. */
export type RollBackReason =
  | ReleaseProblem
  | 'no-program-for-this-machine'
  | 'cannot-be-stored'
  | 'does-not-run'
  | 'calls-itself-otherwise'
  | 'js-runtime-lost'
  | 'challenge-solver-lost'
  | 'canary-failed'
  | 'interrupted'

export type UpdateOutcome =
  | { readonly kind: 'updated'; readonly from?: string; readonly to: string }
  | { readonly kind: 'already-newest'; readonly version: string }
  | { readonly kind: 'newer-available'; readonly from?: string; readonly to: string }
  /** The newest is one that a person has gone back from. */
  | { readonly kind: 'set-aside'; readonly version: string }
  | {
      readonly kind: 'rolled-back'
      readonly to?: string
      readonly tried?: string
      readonly reason: RollBackReason
      readonly failure?: FailureCode
    }
  | { readonly kind: 'restored'; readonly from?: string; readonly to: string }
  | { readonly kind: 'nothing-to-restore' }
  | { readonly kind: 'busy' }

export type Updater = {
  readonly programs: Programs
  readonly releases: string
  /** The file of a release that runs on this machine. */
  readonly asset: () => Promise<string | undefined>
  readonly ask: (program: string) => Promise<YtDlpFacts | undefined>
  /** A download with this program; what went wrong, if anything did. */
  readonly canary: (program: string) => Promise<FailureCode | undefined>
  readonly signal: AbortSignal
  readonly now: () => Date
}

const rememberedSetAside = 10

/** Takes the newest release into use if it is newer and proves itself; `unasked` spares what was set aside. */
export async function update(updater: Updater, { unasked = false } = {}): Promise<UpdateOutcome> {
  const { programs } = updater
  const old = await updater.ask(programs.path())
  let tried: string | undefined
  try {
    tried = await newestVersion(updater.releases)
    if (old && isNewer(tried, old.version) === false) return { kind: 'already-newest', version: old.version }
    if (unasked && programs.choice().setAside.includes(tried)) return { kind: 'set-aside', version: tried }
    await fetchAndTry(updater, tried, old)
  } catch (error) {
    const why = reasonOf(error, updater.signal)
    return { kind: 'rolled-back', ...(old && { to: old.version }), ...(tried && { tried }), ...why }
  } finally {
    await programs.prune(updater.now())
  }
  const { inUse, setAside } = programs.choice()
  const stillAside = setAside.filter((version) => version !== tried)
  await programs.choose({ inUse: tried, previous: inUse, setAside: stillAside }, updater.now())
  return { kind: 'updated', ...(old && { from: old.version }), to: tried }
}

/** Says whether there is a newer one, and changes nothing. */
export async function look({ programs, releases, ask, signal }: Updater): Promise<UpdateOutcome> {
  const old = await ask(programs.path())
  try {
    const newest = await newestVersion(releases)
    if (old && isNewer(newest, old.version) === false) return { kind: 'already-newest', version: old.version }
    return { kind: 'newer-available', ...(old && { from: old.version }), to: newest }
  } catch (error) {
    return { kind: 'rolled-back', ...(old && { to: old.version }), ...reasonOf(error, signal) }
  }
}

/** Goes back to the version before, and remembers what was not wanted. */
export async function restore({ programs, ask, now }: Updater): Promise<UpdateOutcome> {
  const { inUse, previous, setAside } = programs.choice()
  const [from, before] = await Promise.all([
    ask(programs.path()),
    previous === undefined ? undefined : ask(programs.fileOf(previous)),
  ])
  if (previous === undefined || !before) return { kind: 'nothing-to-restore' }
  const unwanted = inUse === installed ? from?.version : inUse
  const others = setAside.filter((version) => version !== before.version && version !== unwanted)
  const added = unwanted !== undefined && isRelease(unwanted) ? [unwanted] : []
  const next: Choice = {
    inUse: previous,
    previous: inUse,
    setAside: [...others, ...added].slice(-rememberedSetAside),
  }
  await programs.choose(next, now())
  await programs.prune(now())
  return { kind: 'restored', ...(from && { from: from.version }), to: before.version }
}

/** After the downloader itself was replaced, what came with it may be newer than what was fetched, and still wanted. */
export async function preferInstalled({
  programs,
  ask,
  now,
}: Pick<Updater, 'programs' | 'ask' | 'now'>): Promise<void> {
  const { inUse, setAside } = programs.choice()
  if (inUse === installed) return
  const own = await ask(programs.fileOf(installed))
  if (own && isNewer(own.version, inUse) && !setAside.includes(own.version))
    await programs.choose({ inUse: installed, previous: inUse, setAside }, now())
}

class Unfit extends Error {
  override readonly name = 'Unfit'
  readonly reason: RollBackReason
  readonly failure: FailureCode | undefined

  constructor(reason: RollBackReason, failure?: FailureCode) {
    super(reason)
    this.reason = reason
    this.failure = failure
  }
}

function reasonOf(
  error: unknown,
  signal: AbortSignal,
): { readonly reason: RollBackReason; readonly failure?: FailureCode } {
  if (signal.aborted) return { reason: 'interrupted' }
  if (error instanceof ReleaseUnusable) return { reason: error.problem }
  if (error instanceof Unfit)
    return { reason: error.reason, ...(error.failure && { failure: error.failure }) }
  throw error
}

async function fetchAndTry(updater: Updater, version: string, old: YtDlpFacts | undefined): Promise<void> {
  const { programs, releases } = updater
  const asset = await updater.asset()
  if (!asset) throw new Unfit('no-program-for-this-machine')
  const bytes = await fetchRelease(releases, version, asset)
  const program = await programs.add(version, bytes).catch(() => {
    throw new Unfit('cannot-be-stored')
  })
  try {
    await prove(updater, program, version, old)
  } catch (error) {
    if (programs.choice().previous !== version) await programs.discard(version)
    throw error
  }
}

/** A new version must run, be what it was announced as, be able to do what the old one could, and download. */
async function prove(
  { ask, canary, signal }: Updater,
  program: string,
  version: string,
  old: YtDlpFacts | undefined,
): Promise<void> {
  const facts = await ask(program)
  signal.throwIfAborted()
  if (!facts) throw new Unfit('does-not-run')
  if (facts.version !== version) throw new Unfit('calls-itself-otherwise')
  if (old?.jsRuntime && !facts.jsRuntime) throw new Unfit('js-runtime-lost')
  if (old?.challengeSolver && !facts.challengeSolver) throw new Unfit('challenge-solver-lost')
  const failure = await canary(program)
  signal.throwIfAborted()
  if (failure) throw new Unfit('canary-failed', failure)
}
