import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'

import { leaseMs } from '#contract/downloader-link.ts'

import { silencePlex } from '../youtube/support.ts'
import { LeaseWorld, type Step } from './lease-world.ts'

beforeEach(silencePlex)
afterEach(() => void vi.restoreAllMocks())

const one = <T extends string>(...names: T[]) => fc.constantFrom(...names)
const at = fc.nat({ max: 99 })
const mostly = fc.nat({ max: 4 }).map((n) => n > 0)
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 5, arbitrary: fc.record({ do: one('take'), at, willing: mostly, repeated: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: one('finish'), at, how: one('completed', 'failed', 'returned') }) },
  { weight: 3, arbitrary: fc.record({ do: one('greet', 'resend', 'repeat', 'progress'), at }) },
  { weight: 3, arbitrary: fc.record({ do: one('cut'), at, how: one('closed', 'hung') }) },
  { weight: 3, arbitrary: fc.record({ do: one('greet'), at }) },
  { weight: 3, arbitrary: fc.record({ do: one('cancel', 'retry', 'scanned'), at }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: one('pass'), ms: fc.constantFrom(leaseMs + 1, 1_000, leaseMs / 2) }),
  },
  { weight: 2, arbitrary: fc.record({ do: one('evict', 'ask') }) },
)

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
  const steps = fc.array(step, { minLength: 20, maxLength: 50, size: 'max' })
  await fc.assert(fc.asyncProperty(steps, live), { numRuns: 15 })
})
