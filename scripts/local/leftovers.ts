import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { readPrivate, writePrivate } from './private-file.ts'

const Helpers = z.array(z.object({ pid: z.int().positive(), identity: z.string() }))

/** Told of each process that belongs to the run. */
export type ProcessNote = {
  readonly started: (pid: number) => void
  readonly ended: (pid: number) => void
}

const fileIn = (stateFolder: string): string => join(stateFolder, 'processes.json')

/** Keeps on record which processes belong to this run, for the one that follows if this one is killed. */
export function noteProcesses(stateFolder: string): ProcessNote & { readonly close: () => void } {
  const running = new Map<number, string>()
  const save = (): void => {
    writePrivate(
      fileIn(stateFolder),
      Array.from(running, ([pid, identity]) => ({ pid, identity })),
    )
  }
  return {
    started: (pid) => {
      const identity = identityOf(pid)
      if (identity === undefined) return
      running.set(pid, identity)
      save()
    },
    ended: (pid) => {
      if (running.delete(pid)) save()
    },
    close: () => rmSync(fileIn(stateFolder), { force: true }),
  }
}

/** Ends what a killed run has left behind, and nothing that only got the same number since. */
export async function endLeftovers(stateFolder: string): Promise<void> {
  const helpers = readPrivate(fileIn(stateFolder), Helpers) ?? []
  const alive = () => helpers.filter(({ pid, identity }) => identityOf(pid) === identity)
  for (const { pid } of alive()) process.kill(pid, 'SIGKILL')
  // Until then its port is taken.
  for (let tries = 0; tries < 100 && alive().length > 0; tries += 1) await sleep(20)
  rmSync(fileIn(stateFolder), { force: true })
}

/** When a process was started, which no other with its number shares. */
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name is in parentheses and may hold anything. After it come the state and 18 numbers before the start.
    const [state, ...numbers] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A dead program's threads may take a moment longer, and hold its ports until then.
    const isGone = state === 'Z' && readdirSync(`/proc/${pid}/task`).length < 2
    return isGone ? undefined : `${boot} ${numbers[18] ?? ''}`
  } catch {
    return undefined
  }
}
