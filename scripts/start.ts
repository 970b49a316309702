import { relative, resolve } from 'node:path'
import { createClosers } from './local/closers.ts'
import { PortTakenError } from './local/local-worker.ts'
import { whenNpmEnds } from './local/npm.ts'
import { AlreadyRunningError } from './local/preparation.ts'
import { readSettings } from './local/settings.ts'
import { startSystem, type System } from './local/system.ts'

const root = resolve(import.meta.dirname, '..')
const stateFolder = resolve(root, process.env['MEDIANEST_STATE'] || '.medianest')
const near = relative(process.cwd(), stateFolder)
const shown = near.startsWith('..') ? stateFolder : near || '.'
const defaultPort = 8787

const closers = createClosers()
let signals = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopAll)
whenNpmEnds(() => {
  if (signals === 0) stopAll()
})
// Nobody reads it any more: that is no reason not to end in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

try {
  const { vars, environment } = await readSettings(root, process.env)
  const port = readPort(process.env['PORT'])
  announce(vars['PLEX_URL'])
  const system = await startSystem({
    root,
    stateFolder,
    port,
    vars,
    environment,
    closers,
    clock: true,
    ownSignals: true,
  })
  if (signals === 0) welcome(system, environment['LIBRARY_DIR'] !== undefined)
} catch (error) {
  // What breaks because it is being stopped is no failure.
  if (signals === 0) {
    console.error(explain(error))
    process.exit(1)
  }
}

function stopAll(): void {
  signals += 1
  if (signals > 1) {
    closers.force()
    process.exit(1)
  }
  console.log('\nStopping …')
  void closers.close().then(() => process.exit(0))
}

function readPort(text: string | undefined): number {
  if (!text) return defaultPort
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  console.error('PORT must be a number below 65536.')
  process.exit(1)
}

function announce(plexUrl: string | undefined): void {
  if (plexUrl === undefined) {
    console.log(
      'No Plex server is configured (PLEX_URL), so this is the demo: a Plex server with made-up films,',
    )
    console.log(
      'a plex.tv and a video site, all on this machine. Nothing of it is real, and nothing leaves it.',
    )
  } else {
    console.log('Using the Plex server that PLEX_URL names.')
  }
  console.log('Starting …')
}

function welcome({ baseUrl, demo, timings, tools }: System, hasLibrary: boolean): void {
  if (!tools.youtube) console.log('Note: yt-dlp is too old for YouTube; videos of other sites work.')
  if (!demo && !hasLibrary)
    console.log('Note: LIBRARY_DIR is not set, so videos go where your Plex server does not look for them.')
  const slowest = Object.entries(timings).map(([part, ms]) => `${part} ${(ms / 1_000).toFixed(1)} s`)
  console.log(`Started: ${slowest.join(', ')}.`)
  if (demo) {
    const names = demo.friends.map(({ username }) => username).join(' and ')
    console.log(`Signed in: ${demo.admin.username} (admin), ${names}. Their tokens: ${shown}/demo.json`)
  }
  console.log(`Logs: ${shown}/logs    What can be asked: /docs    To stop: Ctrl-C`)
  console.log(`MediaNest is ready at ${baseUrl}`)
}

function explain(error: unknown): string {
  if (error instanceof PortTakenError)
    return `Port ${error.port} is taken by another program. Stop it, or choose another: PORT=8788 npm start`
  if (error instanceof AlreadyRunningError) return `${error.message} Stop it first.`
  return error instanceof Error ? error.message : String(error)
}
