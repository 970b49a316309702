import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

import { testBindings } from './test/support/test-bindings.ts'
import { newWorld } from './test/support/worlds.ts'

// Wrangler says at each start which secrets it misses; the tests hand in theirs as bindings.
process.env['WRANGLER_LOG'] ??= 'error'

export default defineConfig({
  test: {
    // Vitest would leave one core to itself, which of two is half.
    maxWorkers: '100%',
    // Real programs, in two files at a time: more of them at once would only make each of them slower.
    maxConcurrency: 3,
    silent: 'passed-only',
    // CI counts by this file; people read the usual lines.
    ...(process.env['CI'] && {
      reporters: ['default', 'json'],
      outputFile: { json: 'node_modules/.cache/vitest.json' },
    }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          globalSetup: ['test/support/tools-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          // Called for each file: none sees what another does to its Plex.
          cloudflareTest(async ({ inject }) => {
            const world = await newWorld(inject<string>('worlds'))
            return {
              verbose: false,
              wrangler: { configPath: './wrangler.toml' },
              miniflare: {
                bindings: {
                  ...testBindings(world),
                  TEST_WORLD: world,
                  TEST_MIGRATIONS: await readD1Migrations('migrations'),
                },
              },
            }
          }),
        ],
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/setup.ts'],
          globalSetup: ['test/support/worlds-setup.ts'],
          testTimeout: 30_000,
          // Each file loads them anew: as one module each they come in half the time.
          deps: {
            optimizer: {
              ssr: {
                enabled: true,
                include: ['zod', 'jose', 'drizzle-orm', 'drizzle-orm/d1', 'drizzle-orm/sqlite-core'],
              },
            },
          },
        },
      },
      {
        test: {
          name: 'downloader',
          include: ['test/downloader/**/*.test.ts'],
          globalSetup: ['test/support/tools-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
