import { expect, test } from 'vitest'

import {
  restEnd,
  restingSites,
  restsOf,
  standingAt,
  whomToAsk,
  withoutRest,
  withRest,
} from '../../../src/youtube/sites.ts'
import { now, site } from './job-fixtures.ts'

const rest = (until: number, reason: 'pace' | 'rate-limited' | 'bot-check' = 'bot-check') => ({
  site,
  reason,
  until,
})

test('a downloader says how long, and the queue keeps until when', () => {
  const told = [{ site, reason: 'rate-limited', waitMs: 500 } as const]
  const kept = restsOf(told, now)
  expect(kept).toEqual([rest(now + 500, 'rate-limited')])
  expect(restingSites(kept, now + 100)).toEqual([{ ...told[0], waitMs: 400 }])
  expect(restingSites(kept, now + 900)).toEqual([{ ...told[0], waitMs: 0 }])
  expect(restsOf(undefined, now)).toEqual([])
})

test('of very many sites those that rest the longest are kept', () => {
  const told = Array.from({ length: 50 }, (_, index) => ({
    site: `${index}`,
    reason: 'pace' as const,
    waitMs: index,
  }))
  expect(restsOf(told, now).map(({ until }) => until)).toEqual(
    Array.from({ length: 40 }, (_, index) => now + 49 - index),
  )
})

test('a site that was paced is open again, and one that refused has to be tried', () => {
  expect(standingAt([rest(now + 1, 'pace')], site, now)).toBe('resting')
  expect(standingAt([rest(now, 'pace')], site, now)).toBe('open')
  expect(standingAt([rest(now, 'rate-limited')], site, now)).toBe('trying')
  expect(standingAt([rest(now + 1)], 'films.example', now)).toBe('open')
})

test('what the queue concludes never shortens what the downloader says, nor makes light of it', () => {
  const said = [rest(now + 9_000)]
  expect(withRest(said, rest(now + 50, 'pace'), now)).toEqual(said)
  expect(withRest([rest(now)], rest(now + 50, 'pace'), now)).toEqual([rest(now + 50)])
  expect(withRest([], rest(now + 50, 'pace'), now)).toEqual([rest(now + 50, 'pace')])
})

test('a job that came off ends a rest that was over, and no other', () => {
  const elsewhere = { ...rest(now), site: 'films.example' }
  expect(withoutRest([rest(now), elsewhere], site, now)).toEqual([elsewhere])
  expect(withoutRest([rest(now + 1)], site, now)).toEqual([rest(now + 1)])
  expect(restEnd([], site)).toBeLessThanOrEqual(now)
})

test('who is asked can answer, and soonest', () => {
  const asked = (
    ...downloaders: { name: string; rests?: ReturnType<typeof rest>[]; troubles?: string[] }[]
  ) =>
    whomToAsk(
      downloaders.map((each) => ({ rests: [], troubles: [], ...each })),
      site,
      now,
    )?.name
  expect(asked()).toBeUndefined()
  expect(asked({ name: 'bare', troubles: ['ytdlp-missing'] })).toBe('bare')
  expect(
    asked({ name: 'bare', troubles: ['ytdlp-missing'] }, { name: 'tired', rests: [rest(now + 9)] }),
  ).toBe('tired')
  expect(asked({ name: 'tired', rests: [rest(now + 9)] }, { name: 'sooner', rests: [rest(now + 8)] })).toBe(
    'sooner',
  )
  expect(asked({ name: 'refused', rests: [rest(now)] }, { name: 'open', troubles: ['low-space'] })).toBe(
    'open',
  )
})
