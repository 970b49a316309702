import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { backoffMs, retry, type RetryOptions, type RetryPolicy } from '../../../src/resilience/retry.ts'

const policy: RetryPolicy = { tries: 3, baseMs: 2_000, maxDelayMs: 10_000 }

type Simulated = { readonly options: RetryOptions; readonly slept: number[]; clock: { now: number } }

/** A world in which time passes only by sleeping, and where a sleep may take longer than asked. */
function simulate(changes: Partial<RetryOptions> = {}, oversleepMs = 0): Simulated {
  const clock = { now: 0 }
  const slept: number[] = []
  const options: RetryOptions = {
    policy,
    deadlineAt: 60_000,
    now: () => clock.now,
    sleep: async (ms) => {
      slept.push(ms)
      clock.now += ms + oversleepMs
    },
    random: () => 1,
    classify: () => ({ retry: true }),
    ...changes,
  }
  return { options, slept, clock }
}

const failing = (attempts: number[]) => async (attempt: number) => {
  attempts.push(attempt)
  throw new Error(`attempt ${attempt}`)
}

test('the delay doubles from the base up to the ceiling', () => {
  const delays = [1, 2, 3, 4, 5].map((attempt) => backoffMs(policy, attempt, () => 1))
  expect(delays).toEqual([2_000, 4_000, 8_000, 10_000, 10_000])
})

test('full jitter spreads from nothing to the whole delay', () => {
  expect([0, 0.25, 0.5, 1].map((random) => backoffMs(policy, 2, () => random))).toEqual([
    0, 1_000, 2_000, 4_000,
  ])
})

test('a delay is whole, not negative and within its bounds, however many attempts there were', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(100_000),
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (baseMs, maxDelayMs, attempt, random) => {
        const delay = backoffMs({ tries: 3, baseMs, maxDelayMs }, attempt, () => random)
        expect(Number.isInteger(delay)).toBe(true)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(maxDelayMs)
        if (attempt <= 30) expect(delay).toBeLessThanOrEqual(baseMs * 2 ** (attempt - 1))
      },
    ),
  )
})

test('a first success asks for nothing', async () => {
  const { options, slept } = simulate()
  expect(await retry(async (attempt) => `answer ${attempt}`, options)).toBe('answer 1')
  expect(slept).toEqual([])
})

test('a later success is answered', async () => {
  const { options, slept } = simulate()
  const answer = await retry(async (attempt) => {
    if (attempt < 3) throw new Error('not yet')
    return attempt
  }, options)
  expect(answer).toBe(3)
  expect(slept).toEqual([2_000, 4_000])
})

test('after the last try its own error is thrown, without another sleep', async () => {
  const { options, slept } = simulate()
  const attempts: number[] = []
  await expect(retry(failing(attempts), options)).rejects.toThrow('attempt 3')
  expect(attempts).toEqual([1, 2, 3])
  expect(slept).toEqual([2_000, 4_000])
})

test('what is not worth repeating is thrown at once', async () => {
  const { options, slept } = simulate({ classify: () => ({ retry: false }) })
  const attempts: number[] = []
  await expect(retry(failing(attempts), options)).rejects.toThrow('attempt 1')
  expect(attempts).toEqual([1])
  expect(slept).toEqual([])
})

test('where neither jitter nor upstream asks for a wait, there is none', async () => {
  const { options, slept } = simulate({ random: () => 0 })
  await expect(retry(failing([]), options)).rejects.toThrow('attempt 3')
  expect(slept).toEqual([0, 0])
})

test('the verdict is about the error that was thrown', async () => {
  const seen: unknown[] = []
  const { options } = simulate({
    classify: (error) => {
      seen.push(error)
      return { retry: false }
    },
  })
  const failure = new Error('as it is')
  await expect(retry(() => Promise.reject(failure), options)).rejects.toBe(failure)
  expect(seen).toEqual([failure])
})

test('a call that throws before it promises is treated alike', async () => {
  const { options } = simulate()
  let calls = 0
  const answer = await retry(() => {
    calls += 1
    if (calls === 1) throw new Error('thrown, not rejected')
    return Promise.resolve('fine')
  }, options)
  expect(answer).toBe('fine')
})

test('the upstream’s wait is the least delay, even beyond our longest', async () => {
  const { options, slept } = simulate({ classify: () => ({ retry: true, retryAfterMs: 20_000 }) })
  await expect(retry(failing([]), options)).rejects.toThrow('attempt 3')
  expect(slept).toEqual([20_000, 20_000])
})

test('the upstream’s wait does not shorten ours', async () => {
  const { options, slept } = simulate({ classify: () => ({ retry: true, retryAfterMs: 5 }) })
  await expect(retry(failing([]), options)).rejects.toThrow('attempt 3')
  expect(slept).toEqual([2_000, 4_000])
})

test.for([
  { deadlineAt: 2_001, slept: [2_000] },
  { deadlineAt: 2_000, slept: [] },
  { deadlineAt: 6_000, slept: [2_000] },
])(
  'with the deadline at $deadlineAt it sleeps $slept and throws the last error',
  async ({ deadlineAt, slept }) => {
    const world = simulate({ deadlineAt })
    await expect(retry(failing([]), world.options)).rejects.toThrow(`attempt ${slept.length + 1}`)
    expect(world.slept).toEqual(slept)
  },
)

test('a sleep that ran over the deadline is followed by no call', async () => {
  const { options } = simulate({ deadlineAt: 3_000 }, 1_000)
  const attempts: number[] = []
  await expect(retry(failing(attempts), options)).rejects.toThrow('attempt 1')
  expect(attempts).toEqual([1])
})

test('a wait that is not a number is not slept', async () => {
  const { options, slept } = simulate({ classify: () => ({ retry: true, retryAfterMs: Number.NaN }) })
  await expect(retry(failing([]), options)).rejects.toThrow('attempt 1')
  expect(slept).toEqual([])
})

test('no retry starts at or after the deadline, and no sleep ends there', async () => {
  const attempt = fc.record({
    tookMs: fc.nat(200),
    retryAfterMs: fc.option(fc.nat(300), { nil: undefined }),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.record({ tries: fc.integer({ min: 1, max: 8 }), baseMs: fc.nat(100), maxDelayMs: fc.nat(400) }),
      fc.array(attempt, { minLength: 8, maxLength: 8 }),
      fc.nat(1_000),
      fc.nat(20),
      async (policy, attempts, deadlineAt, oversleepMs) => {
        let current = attempts[0]
        const starts: number[] = []
        const world = simulate(
          {
            policy,
            deadlineAt,
            random: () => current?.random ?? 0,
            classify: () => ({
              retry: true,
              ...(current?.retryAfterMs === undefined ? {} : { retryAfterMs: current.retryAfterMs }),
            }),
            sleep: async (ms) => {
              expect(ms).toBeGreaterThanOrEqual(current?.retryAfterMs ?? 0)
              expect(world.clock.now + ms).toBeLessThan(deadlineAt)
              world.clock.now += ms + oversleepMs
            },
          },
          oversleepMs,
        )
        const call = async (attempt: number) => {
          current = attempts[attempt - 1]
          starts.push(world.clock.now)
          world.clock.now += current?.tookMs ?? 0
          throw new Error(`attempt ${attempt}`)
        }
        const failure = await retry(call, world.options).catch((error: unknown) => error)
        expect(failure).toEqual(new Error(`attempt ${starts.length}`))
        expect(starts.length).toBeLessThanOrEqual(policy.tries)
        for (const start of starts.slice(1)) expect(start).toBeLessThan(deadlineAt)
      },
    ),
  )
})
