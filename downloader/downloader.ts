import { rm } from 'node:fs/promises'
import type { FromDownloader } from '#contract/downloader-link.ts'
import { linkProtocol } from '#contract/downloader-link.ts'
import type { Config } from './config.ts'
import { createSpaceLedger } from './disk.ts'
import { offerHealth, watchHealth } from './health.ts'
import type { HealthFacts } from './health.ts'
import { jobDirectory, runJob } from './job.ts'
import type { JobServices } from './job.ts'
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
import { createSlots } from './slots.ts'
import type { Slots } from './slots.ts'
import { findTools } from './tools.ts'
import type { Tools } from './tools.ts'
import { keepUpToDate, settleProgram } from './update/upkeep.ts'
import { reportVersions } from './versions.ts'
import { emptyScratch, openWorkspace, prune, WorkspaceUnusable } from './workspace.ts'
import type { Workspace } from './workspace.ts'
import { inspect } from './ytdlp/ffprobe.ts'

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
  const monitor = await startMonitor({
    tools: tools.toolbox,
    environment: tools.toolbox().environment,
    libraryDirectory: config.libraryDirectory,
    reserveBytes: config.reserveBytes,
    onChange: (state, versions) => send({ type: 'state', state, versions }),
    now: () => new Date(),
    log,
  })
  const services = servicesOf(config, workspace, outbox, tools, monitor, log)
  const slots = createSlots({
    limit: config.slots,
    outbox,
    run: async (job, report, signal) => {
      await monitor.noticeSwitch()
      return runJob(job, { ...services, toolbox: tools.toolbox() }, report, signal)
    },
    send,
    hasSpace: monitor.hasSpace,
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
  })
  const health = watchHealth(Date.now)
  const report = () => health.report(healthFacts(config, monitor, outbox, link))
  const closeHealth = await offerHealth(config, workspace, report, log)
  link = openLink({
    url: config.linkUrl,
    token: config.token,
    hello: () => hello(config, monitor, slots),
    receive: (message) => receive(message, slots, outbox, questions),
    onAlive: () => health.heard(link?.connected() ?? false),
    onQuiet: slots.resend,
    random: Math.random,
    log,
  })
  const housekeeping = keepHouse(workspace, outbox, monitor)
  const endUpkeep = keepUpToDate(config, workspace, tools, monitor, log)
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
): Omit<JobServices, 'toolbox'> {
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
    ledger: createSpaceLedger(config.reserveBytes, config.maxBytes),
    placer: createPlacer({ ...config, outbox, heightOf, now: () => new Date() }),
    log,
  }
}

function hello(config: Config, monitor: Monitor, slots: Slots): FromDownloader {
  return {
    type: 'hello',
    protocol: linkProtocol,
    downloaderId: config.downloaderId,
    versions: reportVersions(monitor.versions()),
    slots: config.slots,
    state: monitor.state(),
    holding: slots.holding(),
  }
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

function receive(message: Received, slots: Slots, outbox: Outbox, questions: Questions): void {
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
      void questions.ask(message)
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
