import { statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FromDownloader, Job, Outcome } from '#contract/downloader-link.ts'
import { siteOf } from '#contract/downloader-link.ts'
import type { Config } from './config.ts'
import { createSpaceLedger } from './disk.ts'
import { greeting } from './greeting.ts'
import { offerHealth, watchHealth } from './health.ts'
import type { HealthFacts } from './health.ts'
import { completed, jobDirectory, runJob } from './job.ts'
import type { JobServices } from './job.ts'
import { markLibrary } from './library-mark.ts'
import { openLink } from './link.ts'
import type { Link, Received } from './link.ts'
import type { Log } from './log.ts'
import { startMonitor } from './monitor.ts'
import type { Monitor } from './monitor.ts'
import { openOutbox } from './outbox.ts'
import type { Outbox } from './outbox.ts'
import { createPlacer } from './placement.ts'
import { createQuestions } from './questions.ts'
import type { Questions } from './questions.ts'
import { createRemover } from './removal.ts'
import { createSites, patienceMs } from './sites.ts'
import type { Sites } from './sites.ts'
import { createSlots } from './slots.ts'
import type { Slots } from './slots.ts'
import { createStanding } from './standing.ts'
import { findTools } from './tools.ts'
import type { Tools } from './tools.ts'
import { keepUpToDate, settleProgram } from './update/upkeep.ts'
import { reportVersions } from './versions.ts'
import { emptyScratch, openWorkspace, prune, WorkspaceUnusable } from './workspace.ts'
import type { Workspace } from './workspace.ts'
import { inspect } from './ytdlp/ffprobe.ts'
import { checkTarget } from './ytdlp/target.ts'

const housekeepingMs = 10 * 60_000
const dayMs = 24 * 60 * 60_000
const keepPartsMs = dayMs
const keepPlacementsMs = 7 * dayMs
const farewellMs = 5000

export type Downloader = {
  /** Gives back what is unfinished, says so if anybody hears, and lets go of everything. */
  readonly stop: () => Promise<void>
}

/** Puts the parts together and connects to the Worker. */
export async function startDownloader(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<Downloader> {
  const workspace = await openWorkspace(config)
  const outbox = openAlone(workspace.database)
  await emptyScratch(workspace)
  const tools = findTools(config, workspace, env)
  await settleProgram(config, workspace, tools)
  // Bound below: what the parts say is heard only once the link is there.
  let link: Link | undefined
  const send = (message: FromDownloader): void => link?.send(message)
  const ledger = createSpaceLedger(config.reserveBytes, config.maxBytes)
  const sites = createSites({
    pace: config.sitePace,
    store: outbox,
    now: Date.now,
    random: Math.random,
    onChange: () => sayState(),
  })
  const standing = createStanding(sites, ledger)
  const monitor = await startMonitor({
    tools: tools.toolbox,
    environment: tools.toolbox().environment,
    libraryDirectory: config.libraryDirectory,
    reserveBytes: config.reserveBytes,
    onChange: (state, versions) => send({ type: 'state', state: standing.tell(state), versions }),
    isNews: standing.isNews,
    now: () => new Date(),
    log,
  })
  const sayState = (): void => send({ type: 'state', state: standing.tell(monitor.state()) })
  const onNoSpace = (): Promise<void> => monitor.refreshSpace().then(sayState)
  const services = { ...servicesOf(config, workspace, outbox, tools, monitor, log), ledger, sites, onNoSpace }
  const slots = createSlots({
    limit: config.slots,
    outbox,
    run: async (job, report, signal) => {
      await monitor.noticeSwitch()
      const outcome = await runJob(job, { ...services, toolbox: tools.toolbox() }, report, signal)
      // What it needed no more may be what another waits for.
      void monitor.refreshSpace().catch(() => undefined)
      return outcome
    },
    send,
    hasSpace: monitor.hasSpace,
    admitsVisit: (job) => admitsVisit(job, config, sites),
    placed: (jobId) => placedBefore(outbox, jobId),
    clear: (jobId) => rm(jobDirectory(workspace.jobs, jobId), { recursive: true, force: true }),
    timers: { now: () => performance.now(), setTimeout },
    log,
  })
  const questions = createQuestions({
    ...services,
    get toolbox() {
      return tools.toolbox()
    },
    send,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
  })
  const isLibraryThere = await markLibrary(config.workDirectory)
  const remove = createRemover({ ...config, ...services, isLibraryThere })
  const removed = async (request: Extract<Received, { type: 'remove' }>): Promise<void> => {
    const removal = await remove(request)
    send({ type: 'removed', jobId: request.jobId, ...removal })
    await monitor.refreshSpace().catch(() => undefined)
  }
  const health = watchHealth(Date.now)
  const report = () => health.report(healthFacts(config, monitor, outbox, link))
  const closeHealth = await offerHealth(config, workspace, report, log)
  link = openLink({
    url: config.linkUrl,
    token: config.token,
    hello: () => greeting(config, workspace, monitor, standing, slots),
    receive: (message) => receive(message, slots, outbox, questions, removed),
    onAlive: () => health.heard(link?.connected() ?? false),
    onQuiet: slots.resend,
    random: Math.random,
    log,
  })
  const housekeeping = keepHouse(workspace, outbox, monitor)
  const endUpkeep = keepUpToDate(config, workspace, tools, monitor, sites, log)
  return {
    stop: async () => {
      health.stopping()
      endUpkeep()
      clearInterval(housekeeping)
      questions.stop()
      await slots.stop()
      await heardOut(outbox, link)
      link.close()
      monitor.stop()
      await closeHealth()
      outbox.close()
    },
  }
}

function openAlone(database: string): Outbox {
  try {
    return openOutbox(database)
  } catch (error) {
    const locked = error instanceof Error && /locked|busy/i.test(error.message)
    throw locked ? new WorkspaceUnusable('Another downloader is using this STATE_DIR') : error
  }
}

function servicesOf(
  config: Config,
  workspace: Workspace,
  outbox: Outbox,
  tools: Tools,
  monitor: Monitor,
  log: Log,
): Omit<JobServices, 'toolbox' | 'ledger' | 'sites' | 'onNoSpace'> {
  const heightOf = async (file: string): Promise<number | undefined> => {
    const { ffprobe, environment } = tools.toolbox()
    const findings = await inspect(file, ffprobe, environment)
    return findings?.streams.find(({ codec_type }) => codec_type === 'video')?.height
  }
  return {
    jobsDirectory: workspace.jobs,
    scratchDirectory: workspace.scratch,
    allowedHosts: config.allowedHosts,
    limits: config,
    troubles: () => monitor.versions().troubles,
    onToolFailure: () => void monitor.refreshTools().catch(() => undefined),
    onFormats: monitor.noteFormats,
    placer: createPlacer({ ...config, outbox, heightOf, now: () => new Date() }),
    secrets: secretsOf(config),
    log,
  }
}

const secretsOf = (config: Config): string[] => [
  config.token,
  config.workDirectory,
  config.stateDirectory,
  config.libraryDirectory,
  ...[config.cookiesFile, config.proxy].filter((value) => value !== undefined),
]

/** The file that an earlier run has placed, as far as a look can tell. */
function placedBefore(outbox: Outbox, jobId: string): Outcome | undefined {
  const placement = outbox.placement(jobId)
  const found = placement && statSync(placement.path, { throwIfNoEntry: false })
  return found?.size === placement?.file.bytes && placement ? completed(placement) : undefined
}

/** What is refused anyway visits nobody. */
function admitsVisit({ jobId, url }: Job, { allowedHosts }: Config, sites: Sites): boolean {
  const check = checkTarget(url, allowedHosts)
  if (!check.ok) return true
  return sites.book(jobId, { site: siteOf(check.target.url), weight: 1, patienceMs }) === undefined
}

function healthFacts(config: Config, monitor: Monitor, outbox: Outbox, link: Link | undefined): HealthFacts {
  return {
    downloaderId: config.downloaderId,
    connected: link?.connected() ?? false,
    slots: config.slots,
    running: outbox.held().length,
    outbox: outbox.unacknowledged().length,
    ...monitor.state(),
    versions: reportVersions(monitor.versions()),
  }
}

function receive(
  message: Received,
  slots: Slots,
  outbox: Outbox,
  questions: Questions,
  remove: (request: Extract<Received, { type: 'remove' }>) => Promise<void>,
): void {
  switch (message.type) {
    case 'welcome':
      return slots.welcome(message.drop)
    case 'offer':
      return slots.offer(message.job)
    case 'cancel':
      return slots.cancel(message)
    case 'acknowledged':
      return outbox.acknowledge(message)
    case 'ask':
      return void questions.ask(message)
    case 'remove':
      void remove(message)
  }
}

function keepHouse(workspace: Workspace, outbox: Outbox, monitor: Monitor): NodeJS.Timeout {
  const isHeld = (jobId: string): boolean => outbox.held().some((job) => job.jobId === jobId)
  const tidy = async (): Promise<void> => {
    const now = Date.now()
    outbox.forgetPlacementsBefore(now - keepPlacementsMs)
    // Parts that may never be continued are the first to make room.
    await prune(workspace, isHeld, new Date(monitor.hasSpace() ? now - keepPartsMs : now))
  }
  const start = (): void => void tidy().catch(() => undefined)
  start()
  return setInterval(start, housekeepingMs)
}

/** Waits a moment for the last results to be acknowledged; if they are not, the next start says them again. */
async function heardOut(outbox: Outbox, link: Link): Promise<void> {
  const until = performance.now() + farewellMs
  while (link.connected() && outbox.unacknowledged().length > 0 && performance.now() < until) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}
