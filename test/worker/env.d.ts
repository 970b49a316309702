import type { D1Migration } from 'cloudflare:test'

import type { WorldUrls } from '../support/world-urls.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      TEST_MIGRATIONS: D1Migration[]
      TEST_WORLD: WorldUrls
    }
  }
}
