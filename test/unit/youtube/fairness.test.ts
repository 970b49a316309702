import fc from 'fast-check'
import { expect, test } from 'vitest'

import { assign } from '../../../src/youtube/assign.ts'
import { Fairness } from '../../../src/youtube/fairness.ts'
import type { Job } from '../../../src/youtube/job.ts'
import { job, now, situation, willing } from './job-fixtures.ts'

const users = ['a', 'b', 'c'] as const
const step = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    user: fc.constantFrom(...users),
    count: fc.nat({ max: 4 }),
  }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat({ max: 9 }) }),
)

test('who had much while nobody else wanted anything is not behind for it', () => {
  const fairness = new Fairness()
  for (let made = 0; made < 9; made += 1) fairness.inTurn(job('1', { userId: 'a' }), [])
  const again = fairness.inTurn(job('2', { userId: 'a' }), [])
  expect(fairness.inTurn(job('3', { userId: 'b' }), [again]).turn).toBe(again.turn)
})

test('nobody who waits is passed over more than twice by anybody who has as many running', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, slots) => {
      const fairness = new Fairness()
      let jobs: readonly Job[] = []
      let made = 0
      /** Who has been passed over by whom since they last got one, while they waited. */
      const passed = new Map<string, string[]>()
      const running = (user: string) =>
        jobs.filter(({ state, userId }) => state === 'leased' && userId === user).length
      const waits = (user: string) => jobs.some(({ state, userId }) => state === 'waiting' && userId === user)

      const handOut = (): void => {
        for (const granted of assign(situation(jobs, [willing('nas', { slots })]), now)) {
          const others = users.filter(
            (user) => user !== granted.userId && waits(user) && running(user) <= running(granted.userId),
          )
          jobs = jobs.map((each) => (each.id === granted.id ? granted : each))
          passed.delete(granted.userId)
          for (const user of users) if (!others.includes(user)) passed.delete(user)
          for (const user of others) {
            const by = passed.get(user) ?? []
            expect(
              by.filter((other) => other === granted.userId).length,
              `${user} is passed over`,
            ).toBeLessThan(2)
            passed.set(user, [...by, granted.userId])
          }
        }
      }
      for (const each of steps) {
        if (each.kind === 'ask') {
          for (let count = 0; count < each.count; count += 1) {
            made += 1
            const createdAt = new Date(made).toISOString()
            jobs = [...jobs, fairness.inTurn(job(String(made), { userId: each.user, createdAt }), jobs)]
          }
        } else {
          const busy = jobs.filter(({ state }) => state === 'leased')
          const ended = busy[each.which % Math.max(1, busy.length)]
          jobs = jobs.filter((other) => other !== ended)
        }
        handOut()
      }
    }),
    { numRuns: 500 },
  )
})
