import { findOnPath, run } from './run.ts'

const probe = 'import sys, ssl; print(sys.version_info >= (3, 11), sys.executable)'

/** A Python that current yt-dlp runs on (3.11 or newer), as the real interpreter rather than a version manager's shim. */
export async function findPython(): Promise<string | undefined> {
  for (const name of [
    '/usr/bin/python3',
    'python3',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
  ]) {
    const found = await findOnPath(name)
    if (!found) continue
    const { ok, stdout } = await run(found, ['-I', '-c', probe])
    const [recent, executable] = stdout.trim().split(/ (.*)/s)
    if (ok && recent === 'True' && executable) return executable
  }
  return undefined
}
