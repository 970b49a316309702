import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

export type Ran = { readonly ok: boolean; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  readonly timeoutMs?: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end without a shell; a failure is an answer, never a throw. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((settle) => {
    execFile(
      command,
      [...args],
      {
        timeout: options.timeoutMs ?? 30_000,
        maxBuffer: 16 * 1024 * 1024,
        cwd: options.cwd,
        env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
      },
      (error, stdout, stderr) => settle({ ok: error === null, stdout, stderr }),
    )
  })
}

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Where a program lies on the PATH, as an absolute path. */
export async function findOnPath(name: string): Promise<string | undefined> {
  if (isAbsolute(name)) return (await isExecutable(name)) ? name : undefined
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!folder) continue
    const file = resolve(join(folder, name))
    if (await isExecutable(file)) return file
  }
  return undefined
}

/** The last lines a program said, for a message to a person. */
export function lastWords({ stdout, stderr }: Ran): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim())
  return lines.filter(Boolean).slice(-3).join(' | ').slice(0, 400)
}
