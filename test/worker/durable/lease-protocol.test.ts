import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'

import { leaseMs } from '#contract/downloader-link.ts'

import { silencePlex } from '../youtube/support.ts'
import type { Ending } from './lease-side.ts'
import { LeaseWorld, type Step } from './lease-world.ts'

beforeEach(silencePlex)
afterEach(() => void vi.restoreAllMocks())

const one = <T extends string>(...names: T[]) => fc.constantFrom(...names)
const at = fc.nat({ max: 99 })
const mostly = fc.nat({ max: 4 }).map((n) => n > 0)
const how = one('completed', 'completed', 'failed', 'returned')
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 6, arbitrary: fc.record({ do: one('work'), at, willing: mostly, repeated: fc.boolean(), how }) },
  { weight: 3, arbitrary: fc.record({ do: one('cut'), at, how: one('closed', 'hung') }) },
  { weight: 3, arbitrary: fc.record({ do: one('greet'), at }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: one('pass'), ms: fc.constantFrom(1_000, leaseMs / 2, leaseMs + 1) }),
  },
  { weight: 3, arbitrary: fc.record({ do: one('order'), at }) },
  { weight: 3, arbitrary: fc.record({ do: one('repeat', 'repeat', 'resend', 'progress'), at }) },
  { weight: 2, arbitrary: fc.record({ do: one('ask', 'evict', 'crash') }) },
)

const work = (how: Ending = 'completed', at = 0): Step => ({
  do: 'work',
  at,
  willing: true,
  repeated: false,
  how,
})
const cut = (how: 'closed' | 'hung', at = 0): Step => ({ do: 'cut', at, how })
const pass = (ms: number): Step => ({ do: 'pass', ms })
const greet: Step = { do: 'greet', at: 0 }
/** What chance comes to rarely, `nas` with both jobs at first. */
const known: readonly Step[][] = [
  [work(), work(), cut('closed'), pass(1_000), greet],
  [work(), work(), { do: 'crash' }, pass(1_000), greet],
  [work(), work(), cut('closed'), { do: 'order', at: 0 }, greet],
  // What it said of the first lease is heard under the second one.
  [cut('closed', 1), work(), work(), work('returned'), work(), { do: 'repeat', at: 4 }],
  // Both of them complete the same job, and one comes back while it is scanned.
  [work(), work(), cut('hung'), work(), pass(leaseMs + 1), work(), work(), work('completed', 1), greet],
]

async function live(steps: readonly Step[]): Promise<void> {
  const world = await LeaseWorld.open()
  try {
    for (const step of steps) await world.take([step])
    await world.heal()
  } finally {
    await world.close()
  }
}

test('whatever happens to lines, queue and downloaders, no job has two at work, is lost, or ends twice', async () => {
  const steps = fc.array(step, { minLength: 12, maxLength: 24, size: 'max' })
  await fc.assert(fc.asyncProperty(steps, live), {
    examples: known.map((each): [Step[]] => [each]),
    numRuns: 16,
    // What fails is made smaller for as long.
    interruptAfterTimeLimit: 20_000,
  })
})
