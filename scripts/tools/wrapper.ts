import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a small shell program in one step, so that a reader never meets half of it. `$root` is the tools folder. */
export async function writeWrapper(file: string, lines: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const text = [
    '#!/bin/sh',
    '# Written by scripts/ensure-tools.ts',
    'root=$(dirname "$(dirname "$(readlink -f "$0")")")',
    ...lines,
  ].join('\n')
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${text}\n`, { mode: 0o755 })
  await rename(draft, file)
}

export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
