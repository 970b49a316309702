import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RestingSite } from '#contract/downloader-link.ts'
import { failureCodes, policyOf } from '#contract/failures.ts'
import { openOutbox, type Outbox } from '../../downloader/outbox.ts'
import { createSites } from '../../downloader/sites.ts'

const minute = 60_000
const hour = 60 * minute
const youtube = 'youtube.com'

type Given = { startsPerHour?: number; burst?: number; random?: () => number; outbox?: Outbox }

function sites({
  startsPerHour = 240,
  burst = 10,
  random = () => 0,
  outbox = openOutbox(':memory:'),
}: Given = {}) {
  const clock = { now: 1_000_000_000_000 }
  const changes: RestingSite[][] = []
  const made = createSites({
    pace: { startsPerHour, burst },
    store: outbox,
    now: () => clock.now,
    random,
    onChange: () => changes.push(made.resting()),
  })
  const visit = (visitor: string, site = youtube, weight = 1) =>
    made.book(visitor, { site, weight, patienceMs: 5000 })
  const question = (visitor: string) => visit(visitor, youtube, 0.25)
  const fails = (visitor: string, code: Parameters<typeof made.failed>[1], askedMs?: number) => {
    const until = made.failed(visitor, code, askedMs)
    made.leave(visitor)
    return until && until.getTime() - clock.now
  }
  return { ...made, visit, question, fails, clock, changes, outbox }
}

test('after a burst, starts come at the pace that was set', () => {
  const { visit, waitMs, clock, resting, changes } = sites({ burst: 2 })
  expect([visit('a'), visit('b')]).toEqual([undefined, undefined])
  expect(resting()).toEqual([{ site: youtube, reason: 'pace', waitMs: 15_000 }])
  expect(changes).toHaveLength(1)
  expect(visit('c')).toEqual({ reason: 'pace', waitMs: 15_000 })
  expect(visit('d', 'other.example')).toBeUndefined()
  clock.now += 11_000
  expect(resting()).toEqual([])
  expect(visit('c')).toBeUndefined()
  expect(waitMs('c')).toBe(4000)
  expect(visit('c')).toBeUndefined()
  clock.now += 4000
  expect(waitMs('c')).toBe(0)
})

test('in no stretch of time are there more starts than the pace allows', () => {
  const asking = fc.array(fc.tuple(fc.nat(20_000), fc.nat(60_000)), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      asking,
      (startsPerHour, burst, chance, asked) => {
        const { book, waitMs, clock } = sites({ startsPerHour, burst, random: () => chance })
        const starts = asked.flatMap(([later, patienceMs], n) => {
          clock.now += later
          const refused = book(String(n), { site: youtube, weight: 1, patienceMs })
          return refused ? [] : [clock.now + waitMs(String(n))]
        })
        starts.sort((a, b) => a - b)
        for (const [i, from] of starts.entries())
          for (const [j, to] of starts.slice(i).entries())
            expect(j + 1).toBeLessThanOrEqual(burst + ((to - from) * startsPerHour) / hour + 1.5 + 1e-6)
      },
    ),
  )
})

test('a bot check halts the site at once; one visitor tries when the wait is over, and decides', () => {
  const { visit, fails, halted, served, leave, resting, clock, changes } = sites()
  for (const visitor of ['a', 'b', 'c', 'd']) visit(visitor)
  expect(fails('a', 'bot-check')).toBe(hour)
  expect(halted('b')).toEqual({ reason: 'bot-check', waitMs: hour })
  expect(visit('e')).toEqual({ reason: 'bot-check', waitMs: hour })
  // Those who were under way with the first count once.
  expect(fails('b', 'bot-check')).toBe(hour)
  served('c')
  expect(changes).toEqual([[{ site: youtube, reason: 'bot-check', waitMs: hour }]])

  const waits = [2, 4, 8, 16, 24, 24].map((hours) => {
    clock.now += resting()[0]?.waitMs ?? 0
    expect(resting()).toEqual([{ site: youtube, reason: 'bot-check', waitMs: 0 }])
    expect(visit('canary')).toBeUndefined()
    expect(visit('other')).toMatchObject({ reason: 'bot-check' })
    expect(fails('canary', 'bot-check')).toBe(hours * hour)
    return hours
  })
  clock.now += 24 * hour
  served('d')
  expect(resting()).toHaveLength(1)
  visit('canary')
  served('canary')
  expect(resting()).toEqual([])
  expect(changes).toHaveLength(1 + waits.length + 1)
  leave('canary')
  visit('again')
  expect(fails('again', 'bot-check')).toBe(hour)
})

test('the next one tries when the first has found out nothing', () => {
  const { visit, fails, resting, clock } = sites()
  visit('a')
  fails('a', 'bot-check')
  clock.now += hour
  visit('b')
  expect(fails('b', 'private')).toBeUndefined()
  expect(resting()).toMatchObject([{ waitMs: 0 }])
  expect(visit('c')).toBeUndefined()
})

test('a site that limits is left alone from a minute to an hour, or for as long as it asks', () => {
  const { visit, fails, clock, resting } = sites()
  const waits = Array.from({ length: 8 }, () => {
    clock.now += resting()[0]?.waitMs ?? 0
    visit('a')
    return (fails('a', 'rate-limited') ?? 0) / minute
  })
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])

  const asked = sites()
  asked.visit('a')
  expect(asked.fails('a', 'rate-limited', 30_000)).toBe(30_000)
  asked.clock.now += 30_000
  asked.visit('a')
  expect(asked.fails('a', 'rate-limited', 30_000)).toBe(2 * minute)
  asked.visit('b', 'other.example')
  expect(asked.fails('b', 'rate-limited', 99 * 24 * hour)).toBe(24 * hour)
})

test('a question is answered by a site that limits and proves nothing, yet an answer ends a bot check', () => {
  const { visit, question, fails, served, leave, resting, clock } = sites()
  visit('a')
  fails('a', 'rate-limited')
  expect(question('q')).toEqual({ reason: 'rate-limited', waitMs: minute })
  clock.now += minute
  expect([question('q'), question('r')]).toEqual([undefined, undefined])
  served('q')
  expect(resting()).toEqual([{ site: youtube, reason: 'rate-limited', waitMs: 0 }])
  // Questions under way keep no download from trying, and one download still keeps another.
  expect(visit('b')).toBeUndefined()
  expect(visit('c')).toMatchObject({ reason: 'rate-limited' })
  expect(fails('b', 'rate-limited')).toBe(2 * minute)
  for (const visitor of ['q', 'r']) leave(visitor)

  clock.now += 2 * minute
  question('q')
  expect(fails('q', 'rate-limited')).toBe(4 * minute)
  clock.now += 4 * minute
  visit('b')
  served('b')
  expect(resting()).toEqual([])

  fails('b', 'bot-check')
  clock.now += hour
  expect(question('q')).toBeUndefined()
  expect(question('r')).toMatchObject({ reason: 'bot-check' })
  served('q')
  expect(resting()).toEqual([])
})

test('a bot check overrules a limit, and a limit does not shorten a halt', () => {
  const { visit, fails, resting } = sites()
  for (const visitor of ['a', 'b', 'c']) visit(visitor)
  fails('a', 'rate-limited')
  fails('b', 'bot-check')
  fails('c', 'rate-limited')
  expect(resting()).toEqual([{ site: youtube, reason: 'bot-check', waitMs: hour }])
})

test('only what the site has done to the downloader counts', () => {
  for (const code of failureCodes) {
    const { visit, fails, resting } = sites()
    visit('a')
    const counts = ['halt-site', 'back-off-site'].includes(policyOf(code).action)
    expect(fails('a', code) !== undefined, code).toBe(counts)
    expect(resting().length > 0, code).toBe(counts)
  }
})

test('waits are prolonged by chance, never shortened', () => {
  const wait = (random: () => number): number => {
    const { visit, fails } = sites({ random })
    visit('a')
    return fails('a', 'bot-check') ?? 0
  }
  expect(wait(() => 0)).toBe(hour)
  expect(wait(() => 0.999_999)).toBeCloseTo(1.2 * hour, -4)
})

test('halts and what is left of a burst outlive the process', () => {
  const first = sites({ burst: 2 })
  first.visit('a')
  first.visit('b', 'other.example')
  first.visit('c', 'other.example')
  first.fails('a', 'bot-check')
  const second = sites({ burst: 2, outbox: first.outbox })
  expect(second.resting()).toEqual(first.resting())
  expect(second.resting()).toMatchObject([{ reason: 'bot-check' }, { reason: 'pace' }])
  // What a newer downloader has written is not in the way.
  first.outbox.saveSite(youtube, { bucket: 'full' })
  expect(sites({ outbox: first.outbox }).visit('a')).toBeUndefined()
})

test('a clock that is set back prolongs no wait', () => {
  const { visit, fails, resting, clock } = sites({ burst: 1 })
  visit('a')
  fails('a', 'bot-check')
  visit('b', 'other.example')
  clock.now -= 100 * hour
  expect(resting().map(({ waitMs }) => waitMs)).toEqual([hour, 15_000])
})

test('whatever happens, what is said of sites fits the contract', () => {
  const step = fc.record({
    later: fc.integer({ min: -2 * hour, max: 5 * hour }),
    visitor: fc.constantFrom('a', 'b', 'c'),
    site: fc.constantFrom(youtube, 'other.example'),
    end: fc.constantFrom('served', 'leave', 'bot-check', 'rate-limited', 'private', 'none'),
    asked: fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const made = sites({ burst: 3, random: () => 0.5 })
      for (const { later, visitor, site, end, asked } of steps) {
        made.clock.now += later
        made.visit(visitor, site)
        if (end === 'served') made.served(visitor)
        else if (end === 'leave') made.leave(visitor)
        else if (end !== 'none') made.fails(visitor, end, asked)
        for (const entry of made.resting()) {
          expect(RestingSite.parse(entry)).toEqual(entry)
          expect(entry.waitMs).toBeLessThanOrEqual(24 * hour * 1.2)
        }
      }
    }),
  )
})
