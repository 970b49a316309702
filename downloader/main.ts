import { parseConfig } from './config.ts'
import type { Config } from './config.ts'
import { startDownloader } from './downloader.ts'
import { createLog } from './log.ts'
import type { Log } from './log.ts'
import { parseUpdateVerb, runUpdate } from './update/command.ts'
import { WorkspaceUnusable } from './workspace.ts'

const usage = 'usage: main.ts [run | update [--check | --roll-back]]'
const misused = 2

const [command = 'run', ...args] = process.argv.slice(2)
const parsed = parseConfig(process.env)
const log = createLog({
  write: (line) => void process.stdout.write(`${line}\n`),
  now: () => new Date(),
  secrets: parsed.ok ? [parsed.config.token] : [],
})

// A promise that nobody heard fail comes here, too. What is under way is taken up again at the next start.
process.on('uncaughtException', (error, origin) => {
  log.error('crashed', { error, origin, stack: framesOf(error) })
  process.exit(1)
})

if (!parsed.ok) {
  log.error('the configuration is not usable', { problems: parsed.problems })
  process.exit(1)
}
const verb = command === 'update' ? parseUpdateVerb(args) : undefined
if (verb) process.exitCode = await runOnce(parsed.config, log, verb)
else if (command === 'run' && args.length === 0) await run(parsed.config, log)
else {
  log.error(usage)
  process.exitCode = misused
}

async function run(config: Config, to: Log): Promise<void> {
  try {
    const downloader = await startDownloader(config, process.env, to)
    to.info('started', { downloaderId: config.downloaderId, slots: config.slots })

    let stopping = false
    onSignals((signal) => {
      // Whoever asks twice means it.
      if (stopping) process.exit(1)
      stopping = true
      to.info('stopping', { signal })
      downloader.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          to.error('could not stop cleanly', { error })
          process.exit(1)
        },
      )
    })
  } catch (error) {
    to.error('could not start', { [error instanceof WorkspaceUnusable ? 'problem' : 'error']: error })
    process.exit(1)
  }
}

async function runOnce(config: Config, to: Log, what: NonNullable<typeof verb>): Promise<number> {
  const stop = new AbortController()
  onSignals(() => stop.abort())
  try {
    return await runUpdate(what, config, process.env, to, stop.signal)
  } catch (error) {
    to.error('could not update', { error })
    return 1
  }
}

/** Where it was thrown; the message, which may name files of the library, is left to the log. */
const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .map((line) => line.trim())

function onSignals(handle: (signal: string) => void): void {
  process.on('SIGTERM', handle)
  process.on('SIGINT', handle)
}
