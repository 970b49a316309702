import { parseConfig } from './config.ts'
import { startDownloader } from './downloader.ts'
import { createLog } from './log.ts'
import { WorkspaceUnusable } from './workspace.ts'

const parsed = parseConfig(process.env)
const log = createLog({
  write: (line) => void process.stdout.write(`${line}\n`),
  now: () => new Date(),
  secrets: parsed.ok ? [parsed.config.token] : [],
})

if (!parsed.ok) {
  log.error('the configuration is not usable', { problems: parsed.problems })
  process.exit(1)
}

try {
  const downloader = await startDownloader(parsed.config, process.env, log)
  log.info('started', { downloaderId: parsed.config.downloaderId, slots: parsed.config.slots })

  let stopping = false
  const stop = (signal: string): void => {
    // Whoever asks twice means it.
    if (stopping) process.exit(1)
    stopping = true
    log.info('stopping', { signal })
    downloader.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('could not stop cleanly', { error })
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
} catch (error) {
  log.error('could not start', { [error instanceof WorkspaceUnusable ? 'problem' : 'error']: error })
  process.exit(1)
}
