// Run as a process of its own: wrangler takes a second to load, starts helpers and reads the environment's secrets.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, unstable_splitSqlQuery } from 'wrangler'

const config = unstable_readConfig({ config: process.argv[2] ?? 'wrangler.toml' }, { hideWarnings: true })
const { workerOptions } = unstable_getMiniflareWorkerOptions(config)
// Only what the file itself says: what wrangler adds from the environment may be secret.
const worker = { ...workerOptions, name: config.name, bindings: config.vars }

const Databases = z.array(z.object({ binding: z.string(), migrations_dir: z.string().optional() }))
const migrations = Databases.parse(config.d1_databases).flatMap(({ binding, migrations_dir: folder }) =>
  folder === undefined ? [] : { binding, migrations: readMigrations(folder) },
)

function readMigrations(folder: string) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return names.toSorted().map((name) => ({
    name,
    statements: unstable_splitSqlQuery(readFileSync(join(folder, name), 'utf8')),
  }))
}

process.stdout.write(JSON.stringify({ worker, migrations }))
