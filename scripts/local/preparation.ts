import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { configOf } from '../../src/config.ts'
import type { Closers } from './closers.ts'
import { chooseDemoPorts, demoVars, type DemoPorts } from './demo-world.ts'
import { endLeftovers, noteProcesses, type ProcessNote } from './leftovers.ts'
import { PortTakenError } from './local-worker.ts'
import { isFree } from './ports.ts'
import { realPlexVars } from './real-plex.ts'
import { readSecrets, type Secrets } from './secrets.ts'
import type { Variables } from './settings.ts'
import { lockState } from './state-lock.ts'

export type SystemOptions = {
  readonly root?: string | undefined
  /** Everything the system keeps is below it, and one system at a time may use it. */
  readonly stateFolder: string
  /** Any free one when absent. */
  readonly port?: number | undefined
  /** Settings of the Worker. With a `PLEX_URL` among them that server is used, else the demo world. */
  readonly vars?: Variables | undefined
  /** Settings of the downloader, beside what it needs of the machine. */
  readonly environment?: Variables | undefined
  /** The same, over what the machine says. */
  readonly downloader?: Variables | undefined
  readonly quiet?: boolean | undefined
  /** Let the clock fire the Worker's schedules, as in production, and keep the demo's tokens fresh. */
  readonly clock?: boolean | undefined
  readonly itemsPerLibrary?: number | undefined
  /** The caller stops the system upon a signal. */
  readonly ownSignals?: boolean | undefined
  /** Where to note what has to be ended, for a caller who may want to before all is started. */
  readonly closers?: Closers | undefined
}

export type Preparation = {
  readonly root: string
  readonly options: SystemOptions
  readonly closers: Closers
  readonly secrets: Secrets
  readonly processes: ProcessNote
  readonly vars: Variables
  readonly environment: Variables
  readonly libraryFolder: string
  readonly mediaFolder: string
  readonly logFolder: string
  /** Of the demo world, where there is one. */
  readonly ports: DemoPorts | undefined
  readonly say: (line: string) => void
  readonly timings: Record<string, number>
  /** Notes when something was done, and hands it on. */
  readonly mark: (name: string) => <T>(done: T) => T
}

/** That another system uses the state folder. */
export class AlreadyRunningError extends Error {
  constructor() {
    super('MediaNest is already running in this folder.')
    this.name = 'AlreadyRunningError'
  }
}

const project = resolve(import.meta.dirname, '..', '..')

/** Takes possession of the state folder and decides everything that the parts have to agree about. */
export async function prepare(options: SystemOptions, closers: Closers): Promise<Preparation> {
  const startedAt = performance.now()
  const root = options.root ?? project
  const { stateFolder, port } = options
  const processes = await takeState(stateFolder, closers)
  if (port !== undefined && port !== 0 && !(await isFree(port))) throw new PortTakenError(port)
  const secrets = readSecrets(stateFolder)
  const set = options.vars ?? {}
  const real = set['PLEX_URL'] !== undefined
  const ports = real ? undefined : await chooseDemoPorts(stateFolder)
  const environment = { ...(options.environment ?? machineEnvironment()), ...options.downloader }
  const vars = ports
    ? { ...set, ...secrets, ...demoVars(ports) }
    : { ...secrets, ...(await realPlexVars(set)) }
  // Said now and by name; the Worker would only answer that it is not set up.
  configOf({ ...vars })
  const timings: Record<string, number> = {}
  return {
    root,
    options,
    closers,
    secrets,
    processes,
    environment,
    timings,
    ports,
    vars,
    libraryFolder: (real && environment['LIBRARY_DIR']) || ownLibrary(stateFolder),
    mediaFolder: join(root, 'node_modules', '.cache', 'medianest', 'films'),
    logFolder: join(stateFolder, 'logs'),
    say: options.quiet ? () => undefined : (line) => console.log(line),
    mark: (name) => (done) => {
      timings[name] = Math.round(performance.now() - startedAt)
      return done
    },
  }
}

function ownLibrary(stateFolder: string): string {
  const folder = join(stateFolder, 'library', 'YouTube')
  mkdirSync(folder, { recursive: true })
  return folder
}

async function takeState(stateFolder: string, closers: Closers): Promise<ProcessNote> {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const lock = lockState(stateFolder)
  if (!lock) throw new AlreadyRunningError()
  closers.add(lock.release)
  await endLeftovers(stateFolder)
  const processes = noteProcesses(stateFolder)
  closers.add(processes.close)
  return processes
}

/** What programs need of the machine, and nothing that is set for others. */
function machineEnvironment(): Variables {
  const needed = [
    'PATH',
    'HOME',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'USERPROFILE',
  ]
  return Object.fromEntries(
    needed.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
