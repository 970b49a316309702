import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureTools, type Tools } from '../ensure-tools.ts'
import { createClosers } from './closers.ts'
import type { Demo } from './demo-file.ts'
import { openDemo, publishDemo } from './demo-session.ts'
import { startDemoWorld, type DemoWorld } from './demo-world.ts'
import { downloaderEnvironment } from './downloader-environment.ts'
import { runDownloader, type DownloaderProcess } from './downloader-process.ts'
import { startLocalWorker, type LocalWorker } from './local-worker.ts'
import { openLog } from './log-file.ts'
import { prepare, type Preparation, type SystemOptions } from './preparation.ts'
import { hasDownloader, isLive, until } from './readiness.ts'
import type { Secrets } from './secrets.ts'

export type System = {
  readonly baseUrl: string
  readonly worker: LocalWorker
  readonly downloader: DownloaderProcess
  readonly tools: Tools
  readonly secrets: Secrets
  /** Absent where a real Plex server is configured. */
  readonly world: DemoWorld | undefined
  readonly demo: Demo | undefined
  /** Milliseconds from the start until each part was there. */
  readonly timings: Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
}

/** Starts the whole of MediaNest on this machine, and answers when it can be used. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const closers = options.closers ?? createClosers()
  try {
    return await start(await prepare(options, closers))
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function start(prepared: Preparation): Promise<System> {
  const { options, closers, secrets, timings, mark } = prepared
  const findTools = ensureTools(prepared.say).then(mark('tools'))
  const startWorld = prepared.ports && startWorldWith(prepared, findTools).then(mark('demo world'))
  // The first to fail is told of; the others must not count as unhandled then.
  for (const started of [findTools, startWorld]) started?.catch(() => undefined)

  const worker = await startWorkerWith(prepared).then(mark('worker'))
  const { url: baseUrl } = worker
  const tools = await findTools
  const downloader = startDownloaderWith(prepared, baseUrl, tools)
  const world = await startWorld
  const opening = world && { baseUrl, stateFolder: options.stateFolder, world, secrets }
  const demo = opening && (await openDemo(opening).then(mark('sign-in')))
  await waitForDownloader(prepared, baseUrl).then(mark('downloader'))
  if (demo) closers.add(publishDemo(demo, opening, options.clock ?? false))
  // A first round of health, so that nobody waits for the minute to know.
  if (options.clock) worker.fireCrons().catch(() => undefined)
  return {
    baseUrl,
    worker,
    downloader,
    tools,
    secrets,
    world,
    demo,
    timings,
    stop: closers.close,
  }
}

function startWorldWith(prepared: Preparation, findTools: Promise<Tools>): Promise<DemoWorld> {
  const { options, libraryFolder, mediaFolder, ports, closers } = prepared
  if (!ports) throw new Error('there is no place for the demo world')
  return startDemoWorld({
    stateFolder: options.stateFolder,
    libraryFolder,
    mediaFolder,
    ports,
    ffmpeg: findTools.then(({ ffmpeg }) => ffmpeg),
    itemsPerLibrary: options.itemsPerLibrary,
  }).then((world) => {
    closers.add(world.stop)
    return world
  })
}

async function startWorkerWith(prepared: Preparation): Promise<LocalWorker> {
  const { root, options, closers, processes, vars } = prepared
  const log = openLog(prepared.logFolder, 'worker')
  closers.add(log.close)
  const stateFolder = join(options.stateFolder, 'cloudflare')
  mkdirSync(stateFolder, { recursive: true })
  const worker = await startLocalWorker({
    root,
    stateFolder,
    vars,
    processes,
    port: options.port,
    clock: options.clock,
    ownSignals: options.ownSignals,
    onLog: log.write,
  })
  closers.add(worker.stop)
  await until(() => isLive(worker.url), `The Worker does not answer: see ${log.path}`)
  return worker
}

function startDownloaderWith(prepared: Preparation, baseUrl: string, tools: Tools): DownloaderProcess {
  const { root, options, closers, processes, vars, environment, libraryFolder } = prepared
  const log = openLog(prepared.logFolder, 'downloader')
  closers.add(log.close)
  const { stateFolder } = options
  const demo = prepared.ports !== undefined
  const env = downloaderEnvironment({ baseUrl, stateFolder, libraryFolder, demo, vars, environment, tools })
  const downloader = runDownloader({
    root,
    env,
    processes,
    onLog: log.write,
    onEnd: (code) =>
      prepared.say(`The downloader ended (${code ?? 'killed'}) and is started again: see ${log.path}`),
  })
  closers.add(downloader.stop, downloader.force)
  downloader.start()
  return downloader
}

async function waitForDownloader({ logFolder }: Preparation, baseUrl: string): Promise<void> {
  const log = join(logFolder, 'downloader.log')
  await until(() => hasDownloader(baseUrl), `The downloader does not connect: see ${log}`)
}
