import { channel } from 'node:diagnostics_channel'
import { resolve } from 'node:path'
import { convertV4MiniflareOptions, Miniflare, MiniflareCoreError, NoOpLog } from 'miniflare'
import * as z from 'zod'
import { startCrons } from './crons.ts'
import type { ProcessNote } from './leftovers.ts'
import { applyMigrations } from './migrations.ts'
import { bundleWorker, type WorkerBundle } from './worker-bundle.ts'

export type LocalWorkerOptions = {
  readonly root?: string | undefined
  /** Where databases, objects and keys are kept; without it they end with the process. */
  readonly stateFolder?: string | undefined
  /** Any free one when absent. */
  readonly port?: number | undefined
  /** Settings and secrets, over those of wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>
  /** Fire the schedules by the clock; else only `fireCrons` does. */
  readonly clock?: boolean | undefined
  /** Miniflare ends the whole process upon a signal; true when the caller puts things in order itself then. */
  readonly ownSignals?: boolean | undefined
  readonly processes?: ProcessNote
  /** Whatever the Worker writes to its console, line by line. */
  readonly onLog?: (line: string) => void
}

export type LocalWorker = {
  readonly url: string
  readonly port: number
  readonly miniflare: Miniflare
  readonly bundle: WorkerBundle
  /** The runtime's process, a new one after each crash. */
  readonly processIds: () => readonly number[]
  readonly fireCrons: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** That the port is somebody else's. */
export class PortTakenError extends Error {
  readonly port: number

  constructor(port: number) {
    super(`Port ${port} is taken.`)
    this.name = 'PortTakenError'
    this.port = port
  }
}

const project = resolve(import.meta.dirname, '..', '..')

/** Runs the Worker as it would be deployed, in Cloudflare's own runtime, on the loopback interface. */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const bundle = await bundleWorker(options.root ?? project)
  const processes = watchProcesses('workerd', options.processes)
  const settings = toMiniflare(options, bundle)
  const miniflare = options.ownSignals
    ? withoutSignals(() => new Miniflare(settings))
    : new Miniflare(settings)
  try {
    await miniflare.ready
    for (const migrations of bundle.migrations) await applyMigrations(miniflare, migrations)
    const port = Number((await miniflare.unsafeGetDirectURL()).port)
    const worker = await miniflare.getWorker()
    const crons = startCrons({
      schedules: bundle.worker.cronTriggers,
      clock: options.clock ?? false,
      run: async (cron, scheduledTime) => {
        await worker.scheduled({ cron, scheduledTime })
      },
    })
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      miniflare,
      bundle,
      processIds: processes.ids,
      fireCrons: crons.fire,
      stop: async () => {
        crons.stop()
        processes.stop()
        await miniflare.dispose()
      },
    }
  } catch (error) {
    processes.stop()
    await miniflare.dispose().catch(() => undefined)
    if (isPortTaken(error)) throw new PortTakenError(options.port ?? 0)
    throw error
  }
}

function toMiniflare(options: LocalWorkerOptions, bundle: WorkerBundle) {
  const { modulesRules: _, ...worker } = bundle.worker
  return convertV4MiniflareOptions({
    host: '127.0.0.1',
    // Miniflare's own port, which goes through Node. Nobody is told of it but Miniflare.
    port: 0,
    cf: false,
    log: new NoOpLog(),
    logRequests: false,
    handleStructuredLogs: ({ timestamp, level, message }) =>
      options.onLog?.(message.startsWith('{') ? message : JSON.stringify({ timestamp, level, message })),
    ...(options.stateFolder === undefined ? {} : { resourcePersistencePath: options.stateFolder }),
    workers: [
      {
        ...worker,
        modules: [...bundle.modules],
        modulesRoot: bundle.folder,
        bindings: { ...worker.bindings, ...options.vars },
        // Clients speak to the runtime itself.
        unsafeDirectSockets: [{ host: '127.0.0.1', port: options.port ?? 0 }],
      },
    ],
  })
}

/** Takes away again what was made to listen to signals meanwhile. */
function withoutSignals<T>(make: () => T): T {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)))
  const made = make()
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.has(listener)) process.removeListener(signal, listener)
    }
  }
  return made
}

function isPortTaken(error: unknown): boolean {
  return error instanceof MiniflareCoreError && error.code === 'ERR_ADDRESS_IN_USE'
}

type Child = NodeJS.EventEmitter & { pid?: number; spawnfile: string }
const Spawned = z.object({ process: z.custom<Child>() })

/** Learns of the processes of a program that are started from here on; Miniflare does not say which ones it has. */
function watchProcesses(program: string, note: ProcessNote | undefined) {
  const running = new Set<number>()
  const remember = (child: Child): void => {
    const { pid } = child
    if (pid === undefined || !child.spawnfile.includes(program)) return
    running.add(pid)
    note?.started(pid)
    child.once('exit', () => {
      running.delete(pid)
      note?.ended(pid)
    })
  }
  const listen = (message: unknown): void => {
    const child = Spawned.safeParse(message).data?.process
    // It has neither its number nor its program's name yet.
    if (child) setImmediate(() => remember(child))
  }
  const spawns = channel('child_process')
  spawns.subscribe(listen)
  return { ids: () => [...running], stop: () => spawns.unsubscribe(listen) }
}
