import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { hostileToAddresses } from '../../support/hostile-text.ts'
import { examples } from '../access/examples.ts'
import { askUnder } from '../support/app.ts'
import { signIn } from '../support/client.ts'
import { exampleWith, placeOf, sender, shapeOfCall, slotsOf, type Slot } from '../support/hostile.ts'
import { faultsOf, routes, type Example, type Route } from '../support/operations.ts'
import { fault } from '../support/world.ts'
import { askedOfPlex, emptyCache, startOver } from './support.ts'

const olivia = await signIn('olivia')
const plenty = askUnder({ PLEX_REQUESTS_PER_15_MINUTES: '100000' })

beforeAll(startOver)
afterEach(startOver)
afterAll(startOver)

const operations = routes.filter(({ base }) => base === '/plex')

/**
 * Places that take text as people write it, with some that is in order. It may reach Plex as the value of one parameter,
 * or be held against what Plex says; everywhere else hostile text is refused before Plex hears of it.
 */
const takesText = new Map([
  ['search query query', 'Nobody knows this'],
  ['listItems query genre', 'Nobody knows this'],
  ['createCollection json title', 'Nobody knows this'],
  ['renameCollection json title', 'Nobody knows this'],
  ['putCollection param title', 'Nobody knows this'],
  ['refreshLibrary json confirm', 'Nobody knows this'],
  ['refreshLibrary json path', '/nobody/knows/this'],
  ['scanPath json path', '/nobody/knows/this'],
])

const send = sender(plenty, olivia.accessToken)

/** The example with that text in that place. */
function hostileExample(route: Route, slot: Slot, text: string): Example {
  const example = examples[route.id] ?? {}
  const forced = { ...example, json: { ...(example.json as object | undefined), force: true } }
  return exampleWith(slot.path[0] === 'confirm' ? forced : example, [slot], text)
}

const cases = operations.flatMap((route) =>
  slotsOf(route).map((slot) => ({ route, slot, place: placeOf(route, slot) })),
)

test('there is something to try, and what is said to take text does', () => {
  expect(cases.length).toBeGreaterThan(20)
  const places = new Set(cases.map(({ place }) => place))
  expect([...takesText.keys()].filter((place) => !places.has(place))).toEqual([])
})

test.for(cases.filter(({ place }) => !takesText.has(place)))(
  '$place: nothing hostile gets to Plex',
  async ({ route, slot }) => {
    const asked = await askedOfPlex(async () => {
      const sent = hostileToAddresses.map(async (text) => {
        const response = await send(route, hostileExample(route, slot, text))
        const said = `${JSON.stringify(text)}: ${response.status} ${await response.text()}`
        expect([400, 404, 405], said).toContain(response.status)
      })
      await Promise.all(sent)
    })
    expect(asked).toEqual([])
  },
)

/** What Plex is asked for one request, and by which names: nothing that text could have changed. */
async function shapeOf(route: Route, example: Example) {
  await emptyCache()
  const asked = await askedOfPlex(async () => {
    // Nothing is to be changed at Plex: the tests next door live there too.
    for (const method of ['POST', 'PUT', 'DELETE'])
      await fault('plexUrl', { kind: 'status', status: 404, method })
    await (await send(route, example)).text()
  })
  return asked.map(shapeOfCall)
}

test.for(cases.filter(({ place }) => takesText.has(place)))(
  '$place: text stays the value of one parameter',
  async ({ route, slot, place }) => {
    const benign = await shapeOf(route, hostileExample(route, slot, takesText.get(place) ?? ''))
    // Whether a path lies in a library only Plex can say; its answer is kept for a while.
    const known = new Set(['/library/sections ', ...benign])
    let accepted = 0
    for (const text of hostileToAddresses) {
      const example = hostileExample(route, slot, text)
      const calls = await shapeOf(route, example)
      if (faultsOf(route, example).length === 0) accepted += 1
      else expect(calls, JSON.stringify(text)).toEqual([])
      expect(
        calls.filter((call) => !known.has(call)),
        JSON.stringify(text),
      ).toEqual([])
    }
    expect(accepted, 'a place that takes none of it does not belong here').toBeGreaterThan(0)
  },
)

test('a parameter nobody offers is refused, whatever it is called', async () => {
  const names = [
    'X-Plex-Token',
    'X-Plex-Container-Size',
    'url',
    'sectionId',
    'includeMeta',
    'type>',
    'addedAt>>',
  ]
  const asked = await askedOfPlex(async () => {
    for (const route of operations) {
      for (const name of names) {
        const example = examples[route.id] ?? {}
        const response = await send(route, { ...example, query: { ...example.query, [name]: '1' } })
        const said = `${route.id} ${name}: ${response.status} ${await response.text()}`
        expect(response.status, said).toBe(400)
      }
    }
  })
  expect(asked).toEqual([])
})

test('a member nobody offers is refused', async () => {
  const asked = await askedOfPlex(async () => {
    for (const route of operations.filter(({ request }) => request?.json)) {
      const { json, ...example } = examples[route.id] ?? {}
      for (const name of ['uri', 'url', 'sectionId', 'X-Plex-Token', 'userId', 'scope']) {
        const response = await send(route, {
          ...example,
          json: { ...(json as object | undefined), [name]: '1' },
        })
        expect(response.status, `${route.id} ${name}: ${await response.text()}`).toBe(400)
      }
    }
  })
  expect(asked).toEqual([])
})

test('a step out of a path, as it is or encoded, leads to nothing of Plex', async () => {
  const paths = [
    '/api/plex/items/1/../../../status/sessions',
    '/api/plex/libraries/1/items/../../../identity',
    '/api/plex/%2e%2e/status/sessions',
    '/api/plex/items/..%2f..%2fidentity',
    '/api/plex/items/1%2f..%2f..%2fidentity',
    '/api/plex/items/%00',
    '/api/plex/items/1%0d%0aX-Plex-Token:%20x',
    '/api/plex/items/1%3fX-Plex-Token=x',
    '/api/plex//items/1',
    '/api/plex/items//1',
    '/api/plex/items/%ff',
    '/api/plex/status/sessions',
    '/api/plex/photo/:/transcode',
    '/api/plex/library/sections',
  ]
  const asked = await askedOfPlex(async () => {
    for (const path of paths) {
      const response = await plenty('GET', path, { token: olivia.accessToken })
      expect([400, 404], `${path}: ${response.status}`).toContain(response.status)
    }
  })
  expect(asked).toEqual([])
})
