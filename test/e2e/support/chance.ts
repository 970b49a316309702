/** Numbers that look random, the same for the same seed: mulberry32, whose neighbouring seeds have nothing in common. */
export function chance(seed: number): { readonly between: (from: number, to: number) => number } {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { between: (from, to) => from + (to - from) * next() }
}

/** `CRASH_SEED` tries other moments, `DRILL_ROUNDS` more of them. */
export const crashSeed = Number(process.env['CRASH_SEED'] ?? 20_260_314)
export const roundsOf = (usual: number): number => Number(process.env['DRILL_ROUNDS'] ?? usual)

export type Moment = { readonly round: number; readonly share: number; readonly name: string }

/**
 * Moments in the life of something, as shares of it: one in each of so many slices, so that every state is met. Each is
 * the same whichever others are tried, and its name says how to have it again.
 */
export const momentsIn = (salt: number, rounds: number): readonly Moment[] =>
  Array.from({ length: rounds }, (_, index) => {
    const share = (index + chance(crashSeed + salt * 1_000_003 + index).between(0, 1)) / rounds
    const name = `after ${Math.round(share * 100)} % (round ${index + 1} of ${rounds}, seed ${crashSeed})`
    return { round: index + 1, share, name }
  })
