import { rm, writeFile } from 'node:fs/promises'
import type { FromDownloader } from '#contract/downloader-link.ts'
import { linkProtocol } from '#contract/downloader-link.ts'
import type { Config } from './config.ts'
import { createSpaceLedger } from './disk.ts'
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
import { minimalEnvironment } from './versions.ts'
import { openWorkspace, prune, WorkspaceUnusable } from './workspace.ts'
import type { Workspace } from './workspace.ts'
import { inspect } from './ytdlp/ffprobe.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

const version = '0.1.0'
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
  const toolbox = toolboxOf(config, workspace, minimalEnvironment(env))
  // Bound below: what the parts say is heard only once the link is there.
  let link: Link | undefined
  const send = (message: FromDownloader): void => link?.send(message)
  const monitor = await startMonitor({
    tools: toolbox,
    environment: toolbox.environment,
    libraryDirectory: config.libraryDirectory,
    reserveBytes: config.reserveBytes,
    onChange: (state) => send({ type: 'state', state }),
    log,
  })
  const services = servicesOf(config, workspace, outbox, toolbox, monitor, log)
  const slots = createSlots({
    limit: config.slots,
    outbox,
    run: (job, report, signal) => runJob(job, services, report, signal),
    send,
    hasSpace: monitor.hasSpace,
    clear: (jobId) => rm(jobDirectory(workspace.jobs, jobId), { recursive: true, force: true }),
    timers: { now: () => performance.now(), setTimeout },
    log,
  })
  const questions = createQuestions({ ...services, send })
  link = openLink({
    url: config.linkUrl,
    token: config.token,
    hello: () => hello(config, monitor, slots),
    receive: (message) => receive(message, slots, outbox, questions),
    onAlive: () => void writeFile(workspace.alive, '').catch(() => undefined),
    onQuiet: slots.resend,
    random: Math.random,
    log,
  })
  const housekeeping = keepHouse(workspace, outbox, monitor)
  return {
    stop: async () => {
      clearInterval(housekeeping)
      questions.stop()
      await slots.stop()
      await heardOut(outbox, link)
      link.close()
      monitor.stop()
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

function toolboxOf(
  config: Config,
  workspace: Workspace,
  environment: Readonly<Record<string, string>>,
): Toolbox {
  return {
    ytDlp: config.ytDlpPath,
    ffmpeg: config.ffmpegPath,
    ffprobe: config.ffprobePath,
    node: process.execPath,
    environment,
    cacheDirectory: workspace.cache,
    rateLimit: config.rateLimit,
    cookiesFile: config.cookiesFile,
    proxy: config.proxy,
  }
}

function servicesOf(
  config: Config,
  workspace: Workspace,
  outbox: Outbox,
  toolbox: Toolbox,
  monitor: Monitor,
  log: Log,
): JobServices {
  const heightOf = async (file: string): Promise<number | undefined> => {
    const findings = await inspect(file, toolbox.ffprobe, toolbox.environment)
    return findings?.streams.find(({ codec_type }) => codec_type === 'video')?.height
  }
  return {
    jobsDirectory: workspace.jobs,
    scratchDirectory: workspace.scratch,
    allowedHosts: config.allowedHosts,
    limits: config,
    toolbox,
    troubles: () => monitor.versions().troubles,
    onToolFailure: () => void monitor.refreshTools().catch(() => undefined),
    ledger: createSpaceLedger(config.reserveBytes, config.maxBytes),
    placer: createPlacer({ ...config, outbox, heightOf, now: () => new Date() }),
    log,
  }
}

function hello(config: Config, monitor: Monitor, slots: Slots): FromDownloader {
  const { ytDlp, ffmpeg } = monitor.versions()
  return {
    type: 'hello',
    protocol: linkProtocol,
    downloaderId: config.downloaderId,
    versions: {
      downloader: version,
      node: process.versions.node,
      ...(ytDlp && { ytDlp }),
      ...(ffmpeg && { ffmpeg }),
    },
    slots: config.slots,
    state: monitor.state(),
    holding: slots.holding(),
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
