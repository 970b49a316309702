import type { Generations } from './answer-cache.ts'

const trustedForMs = 5_000

/** The object that counts changes, as this side of it sees it. */
type ChangeLog = {
  generations(): Promise<Readonly<Record<string, number>>>
  claimRenewal(key: string): Promise<boolean>
}

/** The server's generations as this isolate knows them: another's change is seen within five seconds. */
export function createGenerations(server: () => ChangeLog, now: () => number): Generations {
  let known: { readonly at: number; readonly generations: Readonly<Record<string, number>> } | undefined

  const generations = async () => {
    if (known && now() - known.at < trustedForMs) return known.generations
    known = { at: now(), generations: await server().generations() }
    return known.generations
  }

  return {
    async current(changesWith) {
      if (changesWith === 'never') return 0
      try {
        return (await generations())[changesWith] ?? 0
      } catch {
        // Better an answer that may be seconds too old than none.
        return known?.generations[changesWith] ?? 0
      }
    },
    claimRenewal: async (key) => server().claimRenewal(key),
  }
}
