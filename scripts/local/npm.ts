import { execFileSync } from 'node:child_process'

const glanceMs = 300

/**
 * Calls when the `npm start` that runs this program is gone. A signal sent to npm reaches its shell and not the program,
 * which would live on unseen. Without npm above it, it never calls.
 */
export function whenNpmEnds(call: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const watched = upToNpm(process.ppid)
  const timer = setInterval(() => {
    if (watched.every(isAlive) && process.ppid === watched[0]) return
    clearInterval(timer)
    call()
  }, glanceMs)
  timer.unref()
}

/** The shell and whatever else there is between the program and npm, and npm. */
function upToNpm(parent: number): readonly number[] {
  const chain = [parent]
  try {
    for (let pid = parent; chain.length < 5;) {
      const line = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' })
      const [, above = '', command = ''] = /^\s*(\d+)\s+(.*)$/m.exec(line) ?? []
      if (/\bnpm\b/.test(command)) return chain
      pid = Number(above)
      if (pid <= 1) break
      chain.push(pid)
    }
  } catch {
    // Without ps the nearest has to do.
  }
  return [parent]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
