import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type LogFile = {
  readonly path: string
  readonly write: (line: string) => void
  readonly close: () => Promise<void>
}

const longestBytes = 10 * 1024 * 1024

/** Opens a log to go on with; one that has grown too long is put aside first. */
export function openLog(folder: string, name: string): LogFile {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.log`)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > longestBytes) renameSync(path, `${path}.old`)
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
  // A full disk must not end what is being logged.
  stream.on('error', () => undefined)
  return {
    path,
    write: (line) => {
      stream.write(`${line}\n`)
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  }
}
