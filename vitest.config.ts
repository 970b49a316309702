import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

import { testBindings } from './test/support/test-bindings.ts'
import type { WorldUrls } from './test/support/world-urls.ts'

export default defineConfig({
  test: {
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
          cloudflareTest(async ({ inject }) => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                ...testBindings(inject<WorldUrls>('world')),
                TEST_MIGRATIONS: await readD1Migrations('migrations'),
              },
            },
          })),
        ],
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/setup.ts'],
          globalSetup: ['test/support/world-setup.ts'],
          // All files share one Plex and one plex.tv, whose faults are for one test at a time.
          fileParallelism: false,
          silent: 'passed-only',
          testTimeout: 30_000,
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
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
