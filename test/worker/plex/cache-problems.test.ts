import { expect, test } from 'vitest'

import { Problem } from '#contract/problem.ts'
import type { ProblemCode } from '#contract/problems.ts'

import { createWorld, forbidden, hours, minutes, plain, problem, seconds } from './cache-world.ts'

const served: ProblemCode[] = ['plex-unavailable', 'plex-maintenance', 'upstream-invalid']
for (const failure of [
  problem('plex-unavailable'),
  problem('plex-maintenance'),
  problem('plex-tv-unavailable'),
  plain('upstream-invalid'),
  forbidden,
  plain('not-a-member'),
  plain('plex-sign-in-required'),
  new Error('a defect of ours'),
]) {
  const name = failure instanceof Problem ? failure.code : 'a defect'
  test(`${name} is never kept, and an old answer is ${served.some((code) => code === name) ? '' : 'not '}served over it`, async () => {
    const { world, ask } = createWorld()
    world.answer = failure
    await expect(ask()).rejects.toBe(failure)
    world.answer = 'first'
    expect((await ask()).state).toBe('MISS')
    world.answer = failure
    world.now += 2 * hours
    if (served.some((code) => code === name)) expect((await ask()).state).toBe('STALE')
    else await expect(ask()).rejects.toBe(failure)
    expect(world.loads).toBe(3)
  })
}

for (const end of [plain('not-found'), forbidden, plain('not-a-member'), plain('plex-sign-in-required')]) {
  test(`what ended with ${end.code}${end.cause ? ', denied,' : ''} does not come back with the next outage`, async () => {
    const { world, ask } = createWorld()
    await ask()
    world.now += 2 * hours
    world.answer = end
    await expect(ask()).rejects.toMatchObject({ code: end.code })
    world.answer = problem('plex-unavailable')
    world.now += seconds(30)
    await expect(ask()).rejects.toMatchObject({ code: 'plex-unavailable' })
  })
}

test('that there is nothing is known for thirty seconds, and then asked for again', async () => {
  const { world, ask } = createWorld()
  world.answer = plain('not-found')
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
  world.answer = 'there after all'
  world.now += seconds(30) - 1
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
  expect(world.loads).toBe(1)
  world.now += 1
  expect(await ask()).toMatchObject({ data: 'there after all', state: 'MISS' })
  expect(world.reads).toEqual(['asked', 'cached', 'asked'])
})

test('a change voids that there is nothing', async () => {
  const { world, ask } = createWorld()
  world.answer = plain('not-found')
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
  world.answer = 'just added'
  world.generation += 1
  expect(await ask()).toMatchObject({ data: 'just added', state: 'MISS' })
})

test('when a renewal behind is denied, what was served stale is gone', async () => {
  const { world, ask, settled } = createWorld()
  await ask()
  world.now += 31 * minutes
  world.answer = plain('not-found')
  expect((await ask()).state).toBe('STALE')
  await settled()
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
})
