import fc from 'fast-check'
import { expect, test } from 'vitest'

import { keysPerCall, planCollection, type CollectionStep } from '../../../src/plex/collection-plan.ts'

const numbers = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(from + index))
const keys = (maxLength: number) => fc.array(fc.integer({ min: 1, max: 400 }).map(String), { maxLength })
const wantedKeys = fc.array(fc.integer({ min: 1, max: 400 }).map(String), { minLength: 1, maxLength: 350 })

/** What Plex has after those commands; a collection that holds nothing is gone, and what is gone takes no more. */
function carriedOut(current: readonly string[] | undefined, steps: readonly CollectionStep[]) {
  let held = current && new Set(current)
  for (const step of steps) {
    if (step.kind === 'create') {
      expect(held).toBeUndefined()
      held = new Set()
    }
    if (!held) throw new Error(`${step.kind} where there is no collection`)
    if (step.kind === 'delete') held = undefined
    else if (step.kind === 'remove') expect(held.delete(step.key)).toBe(true)
    else for (const key of step.keys) held.add(key)
    if (held?.size === 0) held = undefined
  }
  return held
}

test('after the plan there is what was wanted, and nothing is sent that is there already', () => {
  const currents = fc.option(
    keys(350).filter((held) => held.length > 0),
    { nil: undefined },
  )
  fc.assert(
    fc.property(
      currents,
      wantedKeys,
      fc.constantFrom('exact' as const, 'add' as const),
      (current, wanted, mode) => {
        const { added, removed, steps } = planCollection(current, wanted, mode)
        const expected = new Set([...(mode === 'add' ? (current ?? []) : []), ...wanted])
        expect(carriedOut(current, steps)).toEqual(expected)
        expect(new Set(added)).toEqual(new Set(wanted.filter((key) => !current?.includes(key))))
        expect(new Set(removed)).toEqual(new Set(current?.filter((key) => !expected.has(key))))
        if (!steps.some(({ kind }) => kind === 'delete')) {
          const least = Math.ceil(added.length / keysPerCall) + removed.length
          expect(steps).toHaveLength(least)
        }
        for (const step of steps)
          if ('keys' in step) expect(step.keys.length).toBeLessThanOrEqual(keysPerCall)
      },
    ),
    { numRuns: 300 },
  )
})

test('what is right already takes no command', () => {
  expect(planCollection(['1', '2'], ['2', '1', '2'], 'exact').steps).toEqual([])
  expect(planCollection(['1', '2', '3'], ['2'], 'add').steps).toEqual([])
})

test('items come in before others leave, so that the collection is never empty', () => {
  expect(planCollection(['1'], ['2'], 'exact').steps).toEqual([
    { kind: 'add', keys: ['2'] },
    { kind: 'remove', key: '1' },
  ])
})

test('a large collection is made with its first hundred, and gets the rest in hundreds', () => {
  const { steps } = planCollection(undefined, numbers(1, 250), 'exact')
  expect(steps.map((step) => [step.kind, 'keys' in step ? step.keys.length : 0])).toEqual([
    ['create', 100],
    ['add', 100],
    ['add', 50],
  ])
})

test('it is made anew only where many have to leave and that takes fewer commands', () => {
  const kinds = (current: readonly string[], wanted: readonly string[]) =>
    planCollection(current, wanted, 'exact').steps.map(({ kind }) => kind)
  expect(kinds(numbers(1, 22), ['1'])).toEqual(['delete', 'create'])
  expect(kinds(numbers(1, 21), ['1'])).toEqual(Array.from({ length: 20 }, () => 'remove'))
  expect(kinds(numbers(1, 2_500), numbers(1, 2_475))).toEqual(Array.from({ length: 25 }, () => 'remove'))
})
