import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

import { control } from './support/world.ts'

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
// What an earlier file of tests has put there would be new to this one.
await control('plexUrl', 'empty-folder')
