/** Numbers that look random, the same for the same seed. */
export function chance(seed: number): { readonly between: (from: number, to: number) => number } {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return { between: (from, to) => from + (to - from) * next() }
}

/** `CRASH_SEED` tries other moments, `DRILL_ROUNDS` more of them. */
export const crashSeed = Number(process.env['CRASH_SEED'] ?? 20_260_314)
export const roundsOf = (usual: number): number => Number(process.env['DRILL_ROUNDS'] ?? usual)
