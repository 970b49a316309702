import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

import { createApp } from '../../../src/app.ts'
import { buildServices } from '../../../src/services.ts'
import { requestOf, type ask } from './client.ts'

/** The Worker as it is under other settings, over the same storage. What runs on behind an answer is waited for. */
export function askUnder(settings: Readonly<Record<string, string>>): typeof ask {
  const changed = { ...env, ...settings }
  const services = buildServices(changed)
  const app = createApp(services, services.http)
  return async (method, path, options) => {
    const ctx = createExecutionContext()
    const response = await app.fetch(requestOf(method, path, options), changed, ctx)
    await waitOnExecutionContext(ctx)
    return response
  }
}
