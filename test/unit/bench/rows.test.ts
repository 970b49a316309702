import { convertV4MiniflareOptions, Miniflare, NoOpLog } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { countRows, type RowCount } from '../../bench/rows.ts'

const schema = [
  'CREATE TABLE films (id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, ended TEXT, rating TEXT, list TEXT)',
  'CREATE UNIQUE INDEX active ON films (owner) WHERE ended is null',
  'CREATE INDEX by_owner ON films (owner, id)',
  'CREATE INDEX `to_list` ON `films` (`rating`) WHERE list is not null and ended is not null',
]

let miniflare: Miniflare
let rows: RowCount

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new NoOpLog(),
      modules: true,
      script: 'export default {}',
      cf: false,
      d1Databases: ['DB', 'PLAIN'],
    }),
  )
  for (const name of ['DB', 'PLAIN']) {
    const database = await miniflare.getD1Database(name)
    for (const statement of schema) await database.prepare(statement).run()
  }
  rows = await countRows(miniflare, ['films'])
})
afterAll(() => miniflare.dispose())

test.each([
  ['a row that a partial index leaves out', "INSERT INTO films VALUES ('a', 'frank', null, null, null)"],
  ['a row that two leave out', "INSERT INTO films VALUES ('b', 'frank', 'now', null, null)"],
  ['a row that all hold', "INSERT INTO films VALUES ('c', 'frank', 'now', '7', 'cats')"],
  ['a column that no index looks at', "UPDATE films SET list = null WHERE id = 'a'"],
  ['a column that only a condition looks at', "UPDATE films SET ended = 'now' WHERE id = 'a'"],
  ['a column of a partial index that leaves the row out', "UPDATE films SET rating = '12' WHERE id = 'a'"],
  ['a row that a partial index gets', "UPDATE films SET list = 'cats' WHERE id = 'a'"],
  ['a row that it gets again', "UPDATE films SET rating = '13' WHERE id = 'a'"],
  ['what was so before', "UPDATE films SET owner = 'frank' WHERE id = 'a'"],
  ['many rows', "UPDATE films SET owner = 'fatima'"],
  ['no row', "UPDATE films SET owner = 'frank' WHERE id = 'z'"],
  ['a row that goes', "DELETE FROM films WHERE id = 'a'"],
])('D1 counts no other rows: %s', async (_what, statement) => {
  const [counted, plain] = await Promise.all([
    miniflare.getD1Database('DB'),
    miniflare.getD1Database('PLAIN'),
  ])
  await counted.prepare(statement).run()
  const { meta } = await plain.prepare(statement).run()
  expect(await rows.take('films')).toBe(meta.rows_written)
})
