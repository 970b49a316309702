import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'

import { examples } from '../access/examples.ts'
import { askUnder } from '../support/app.ts'
import { expectProblem, signIn } from '../support/client.ts'
import { requestFor, routes, type Route } from '../support/operations.ts'
import { clearFaults, fault, type Fault } from '../support/world.ts'
import { emptyCache, startOver } from './support.ts'

const olivia = await signIn('olivia')
/** An isolate that remembers nothing. */
const anew = () => askUnder({ PLEX_REQUESTS_PER_15_MINUTES: '100000' })

beforeAll(startOver)
afterEach(startOver)
afterAll(startOver)

/** Those whose answer does not come from a container of Plex. */
const others = new Set(['readPlexHealth', 'listScans', 'readScan', 'showImage'])
/** All that is read of Plex: an operation that is added is held to this too. */
const reads = routes.filter(({ base, method, id }) => base === '/plex' && method === 'get' && !others.has(id))

const json = (body: string): Fault => ({
  kind: 'status',
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
})
const container = (members: object) => json(JSON.stringify({ MediaContainer: members }))

/** The answer of an operation while Plex answers like that, whatever it is asked. */
async function answerTo(route: Route, odd: Fault): Promise<Response> {
  await clearFaults()
  await emptyCache()
  await fault('plexUrl', { path: '^/(library|hubs|status)|^/$', ...odd })
  const { method, path, ask } = requestFor(route, examples[route.id] ?? {})
  return anew()(method, path, { ...ask, token: olivia.accessToken })
}

const holdsNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value).some(holdsNull))

/** An answer of our own shape, or one of the words we have for what cannot be answered. */
async function expectOurs(route: Route, response: Response, statuses: readonly number[]): Promise<void> {
  const text = await response.text()
  const said = `${route.id} answered ${response.status} ${text}`
  expect(statuses, said).toContain(response.status)
  if (response.status !== 200) return
  const body: unknown = JSON.parse(text)
  const schema = route.responses[200]
  if (!(schema instanceof z.ZodType)) throw new Error(`${route.id} has no schema`)
  expect(schema.safeParse(body).error, said).toBeUndefined()
  expect(holdsNull(body), said).toBe(false)
}

const xml = '<?xml version="1.0"?><MediaContainer size="1"><Video ratingKey="1"/></MediaContainer>'
const oldServer = { _elementType: 'MediaContainer', _children: [{ _elementType: 'Video', ratingKey: '1' }] }

const unreadable: Readonly<Record<string, Fault>> = {
  'a sign-in page': { kind: 'html' },
  XML: { ...json(xml), headers: { 'content-type': 'text/xml;charset=utf-8' } },
  'XML that says it is JSON': json(xml),
  'JSON that ends too early': json('{"MediaContainer":{"size":2,"Metadata":[{"ra'),
  'nothing at all': json(''),
  'JSON without a container': json('{}'),
  'a list of containers': json('[{"MediaContainer":{"size":0}}]'),
  'no value': json('null'),
  'a container that is none': json('{"MediaContainer":null}'),
  'a container that is a list': json('{"MediaContainer":[]}'),
  'a container that is text': json('{"MediaContainer":"Movies"}'),
  'the answer of a server before 1.3': json(JSON.stringify(oldServer)),
  'lists that are text': container({ size: 2, Metadata: 'two', Directory: 'two', Hub: 'two' }),
  'lists that are numbers': container({ size: 2, Metadata: 2, Directory: 2, Hub: 2 }),
  'lists of text': container({ size: 1, Metadata: ['1'], Directory: ['1'], Hub: ['1'] }),
}

test.for(Object.keys(unreadable))('%s is told as such, whatever was asked', async (name) => {
  expect(reads.length).toBeGreaterThan(10)
  for (const route of reads) {
    await expectProblem(await answerTo(route, unreadable[name] ?? { kind: 'html' }), 'upstream-invalid')
  }
})

const row = {
  ratingKey: 1,
  key: '1',
  type: 'movie',
  title: '300',
  summary: 'One\r\nTwo',
  year: '2006',
  addedAt: '1700000000',
  childCount: '3',
  leafCount: '12',
  viewedLeafCount: 0,
  index: 395,
  rating: '7.5',
  score: '0.52000',
  librarySectionID: 1,
  guid: 'com.plexapp.agents.imdb://tt0416449?lang=en',
  Media: { id: '7', Part: { id: 8, size: '10', file: '/media/300.mkv' } },
  Genre: { tag: 'Action' },
  Guid: { id: 'imdb://tt0416449' },
  Location: { id: '1', path: '/media' },
  tag: '1917',
  sessionKey: 7,
  viewOffset: '60000',
  User: { id: 1, title: 300 },
  Player: { title: 'TV', state: 'playing' },
  Session: { id: '8', bandwidth: '4000', location: 'lan' },
  TranscodeSession: { videoDecision: 'copy', speed: '1.5', progress: '20.1' },
  count: '2',
}
const holes = Object.fromEntries(Object.keys(row).map((name) => [name, null]))
const wrong = Object.fromEntries(Object.keys(row).map((name) => [name, [{ [name]: [] }]]))
const everywhere = (rows: unknown) =>
  container({
    size: '1',
    totalSize: '1',
    Metadata: rows,
    Directory: rows,
    Hub: { type: 'movie', size: '1', Metadata: rows, Directory: rows },
  })

const survivable: Readonly<Record<string, Fault>> = {
  'numbers as text, and text as numbers': everywhere([row]),
  'one row instead of a list': everywhere(row),
  'a row of nothing but nulls among others': everywhere([holes, row]),
  'rows of nothing but nulls': everywhere([holes, holes]),
  'rows of the wrong types': everywhere([wrong]),
  'an empty row': everywhere([{}]),
  'no lists, since they are empty': container({ size: 0 }),
  'lists that are null': container({ size: 0, Metadata: null, Directory: null, Hub: null }),
  'lists that are empty text, as converters of XML make them': container({
    Metadata: '',
    Directory: '',
    Hub: '',
  }),
  'a size that promises more': container({
    size: 50,
    totalSize: '1000',
    Metadata: [row],
    Directory: [row],
    Hub: [],
  }),
  'an empty title': everywhere([{ ...row, title: '' }]),
  'dates of the far future and of none': everywhere([
    { ...row, addedAt: 99_999_999_999_999 },
    { ...row, ratingKey: '2', addedAt: 0 },
  ]),
  'half a letter': everywhere([{ ...row, title: '\ud83c', guid: '\udfac', ratingKey: '1\ud800' }]),
  'names that mean something to JavaScript': json(
    '{"MediaContainer":{"__proto__":{"size":1},"constructor":1,"Metadata":[{"ratingKey":"1","title":"__proto__","type":"constructor","hasOwnProperty":1}]}}',
  ),
}

test.for(Object.keys(survivable))('%s: read as far as it makes sense', async (name) => {
  for (const route of reads) {
    await expectOurs(route, await answerTo(route, survivable[name] ?? { kind: 'html' }), [200, 404])
  }
})

const names = Object.keys(row)
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.nat(),
  fc.nat().map(String),
  fc.constantFrom('1', 'movie', 'show'),
)
const oddRow = fc.dictionary(fc.constantFrom(...names, 'thumb', 'Metadata', 'Directory'), value)
const rowsOrNot = fc.oneof(fc.array(oddRow, { maxLength: 4 }), oddRow, fc.jsonValue({ maxDepth: 2 }))
const oddContainer = fc.record(
  {
    size: value,
    totalSize: value,
    librarySectionID: value,
    Metadata: rowsOrNot,
    Directory: rowsOrNot,
    Hub: fc.oneof(
      fc.array(fc.record({ type: value, Metadata: rowsOrNot, Directory: rowsOrNot }, { requiredKeys: [] }), {
        maxLength: 3,
      }),
      rowsOrNot,
    ),
  },
  { requiredKeys: [] },
)

test.for(reads)('$id: no answer of Plex is too odd', async (route) => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(oddContainer.map(container), fc.json().map(json)), async (odd) => {
      await expectOurs(route, await answerTo(route, odd), [200, 404, 502])
    }),
    { numRuns: 25 },
  )
})
