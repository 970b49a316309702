import type { Miniflare } from 'miniflare'
import * as z from 'zod'

const Name = z.object({ name: z.string() })
const Index = Name.extend({ sql: z.string().nullable() })
/** None of an expression. */
const IndexColumn = z.object({ name: z.string().nullable() })
const Written = z.object({ at: z.string() })

export type RowCount = {
  /** Rows written to this table since the last call, as D1 counts and bills them. */
  readonly take: (table: string) => Promise<number>
}

/**
 * Counts what the Worker writes to its database. D1 tells only the writer, so triggers keep the books: each row that is
 * inserted, updated or deleted is one, and so is each entry that an index gets of it. An update writes the entries anew
 * of all that look at a column it sets, and a partial index has none of a row that it leaves out.
 */
export async function countRows(miniflare: Miniflare, tables: readonly string[]): Promise<RowCount> {
  const database = await miniflare.getD1Database('DB')
  const all = async <T>(schema: z.ZodType<T>, query: string): Promise<T[]> =>
    z.array(schema).parse((await database.prepare(query).all()).results)
  const run = (statement: string) => database.prepare(statement).run()

  await run('CREATE TABLE written (at TEXT NOT NULL)')
  for (const table of tables) {
    const columns = (await all(Name, `PRAGMA table_info(${table})`)).map(({ name }) => name)
    if (columns.length === 0) throw new Error(`there is no table ${table}`)
    const count = (what: string, change: string, condition = '') =>
      run(
        `CREATE TRIGGER counts_${what} AFTER ${change} ON ${table} ${condition} BEGIN INSERT INTO written VALUES ('${table}'); END`,
      )
    for (const change of ['INSERT', 'UPDATE', 'DELETE']) await count(`${table}_${change}`, change)

    const row = columns.map((column) => `NEW.${column} AS ${column}`).join(', ')
    const indexes = `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '${table}'`
    for (const { name, sql } of await all(Index, indexes)) {
      const where = /\)\s*WHERE\s+(.+)$/is.exec(sql ?? '')?.[1]
      const condition = where && `WHEN (SELECT ${where} FROM (SELECT ${row}))`
      const entry = await all(IndexColumn, `PRAGMA index_info(${name})`)
      const indexed = new Set(entry.map((column) => column.name))
      const looksAt = columns.filter(
        (column) => indexed.has(column) || new RegExp(`\\b${column}\\b`).test(where ?? ''),
      )
      await count(`${name}_INSERT`, 'INSERT', condition)
      await count(`${name}_UPDATE`, `UPDATE OF ${looksAt.join(', ')}`, condition)
    }
  }
  return {
    take: async (table) =>
      (await all(Written, `DELETE FROM written WHERE at = '${table}' RETURNING at`)).length,
  }
}
