import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

/** Forgets the failures that a test caused, before they count against another test. */
export async function forgetFailures(upstream: string): Promise<void> {
  const breaker = env.CIRCUIT_BREAKER.getByName(upstream)
  await runInDurableObject(breaker, (_, { storage }) => storage.deleteAll())
  await evictDurableObject(breaker)
}
