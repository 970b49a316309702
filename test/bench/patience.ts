export type Patience = {
  readonly patienceMs: number
  /** Milliseconds. */
  readonly now: () => number
  readonly wait: () => Promise<unknown>
}

/** Waits until there are so many. Answers false once none has come for as long as patience lasts. */
export async function reach(
  wanted: number,
  count: () => number,
  { patienceMs, now, wait }: Patience,
): Promise<boolean> {
  let known = count()
  let lastAt = now()
  while (known < wanted) {
    if (now() - lastAt > patienceMs) return false
    await wait()
    const counted = count()
    if (counted > known) lastAt = now()
    known = counted
  }
  return true
}
