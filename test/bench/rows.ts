import type { Miniflare } from 'miniflare'
import * as z from 'zod'

const Index = z.object({ name: z.string() })
const Column = z.object({ name: z.string() })
const Table = z.object({ name: z.string() })
const Written = z.object({ rows: z.number() })

export type RowCount = {
  /** Rows written to this table since the last call, as D1 counts and bills them. */
  readonly take: (table: string) => Promise<number>
}

/**
 * Counts what the Worker writes to its database. D1 tells only the writer, so triggers keep the books: an insertion is a row
 * and an entry in each index, an update a row and an entry in each index it changes a column of.
 */
export async function countRows(miniflare: Miniflare, tables: readonly string[]): Promise<RowCount> {
  const database = await miniflare.getD1Database('DB')
  const all = async <T>(schema: z.ZodType<T>, query: string): Promise<T[]> =>
    z.array(schema).parse((await database.prepare(query).all()).results)
  const run = (statement: string) => database.prepare(statement).run()

  const known = new Set(
    (await all(Table, "SELECT name FROM sqlite_master WHERE type = 'table'")).map(({ name }) => name),
  )
  await run('CREATE TABLE written (at TEXT NOT NULL, rows INTEGER NOT NULL)')
  for (const table of tables) {
    if (!known.has(table)) throw new Error(`there is no table ${table}`)
    const indexes: string[][] = []
    for (const { name } of await all(Index, `PRAGMA index_list(${table})`)) {
      indexes.push((await all(Column, `PRAGMA index_info(${name})`)).map((column) => column.name))
    }
    const changed = indexes.map(
      (columns) => `(${columns.map((column) => `OLD.${column} IS NOT NEW.${column}`).join(' OR ')})`,
    )
    const costs = { INSERT: 1 + indexes.length, UPDATE: ['1', ...changed].join(' + '), DELETE: 1 }
    for (const [change, cost] of Object.entries(costs)) {
      await run(
        `CREATE TRIGGER ${table}_${change} AFTER ${change} ON ${table} BEGIN INSERT INTO written VALUES ('${table}', ${cost}); END`,
      )
    }
  }
  return {
    take: async (table) => {
      const rows = await all(Written, `DELETE FROM written WHERE at = '${table}' RETURNING rows`)
      return rows.reduce((sum, { rows }) => sum + rows, 0)
    },
  }
}
