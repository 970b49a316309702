const stepsPerMillisecond = 1_000

/**
 * The number that follows `last`: a counter that keeps up with the clock, so that it still grows when the one who
 * counted was restarted and remembers nothing. Safe integers last until the year 2255.
 */
export function nextSeq(last: number, nowMs: number): number {
  return Math.max(last + 1, nowMs * stepsPerMillisecond)
}
