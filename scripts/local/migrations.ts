import type { Miniflare } from 'miniflare'
import type { MigrationSet } from './worker-bundle.ts'

// The table `wrangler d1 migrations` keeps, so that both agree on what has been done.
const ledger = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies what has not been applied yet, in order, each migration whole or not at all. Answers the names of the new ones. */
export async function applyMigrations(
  miniflare: Miniflare,
  { binding, migrations }: MigrationSet,
): Promise<string[]> {
  if (migrations.length === 0) return []
  const database = await miniflare.getD1Database(binding)
  await database.prepare(ledger).run()
  const { results } = await database.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const done = new Set(results.map(({ name }) => name))
  const due = migrations.filter(({ name }) => !done.has(name))
  for (const { name, statements } of due) {
    await database.batch([
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ])
  }
  return due.map(({ name }) => name)
}
