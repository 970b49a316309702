import { execFileSync } from 'node:child_process'

/** All that a process has started, and what those have started. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const line of processTable().split('\n')) {
    const [child = 0, parent = 0] = line.trim().split(/\s+/).map(Number)
    children.set(parent, [...(children.get(parent) ?? []), child])
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

function processTable(): string {
  try {
    return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
