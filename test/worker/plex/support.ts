import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import * as z from 'zod'

import { Item, Library } from '../../../src/plex/schema.ts'
import { ask, expectData, expectProblem, type Session } from '../support/client.ts'
import { clearFaults, forgetSeen, seen, world } from '../support/world.ts'

export const plexServer = () => env.PLEX_SERVER.getByName(world.machineIdentifier)
export const plexBreaker = () => env.CIRCUIT_BREAKER.getByName(`plex:${world.machineIdentifier}`)

const Metadata = z.object({
  storedAt: z.number(),
  freshUntil: z.number(),
  etag: z.string(),
  generation: z.number(),
  changesWith: z.string().optional(),
  missing: z.literal(true).optional(),
})

async function answers() {
  const { keys } = await env.CACHE.list({ prefix: 'answer:' })
  return keys
}

export async function emptyCache(): Promise<void> {
  await Promise.all((await answers()).map(({ name }) => env.CACHE.delete(name)))
}

/** Makes all that is cached older by so much, as if nobody had asked for a while. */
export async function age(ms: number): Promise<void> {
  for (const { name, metadata } of await answers()) {
    const value = await env.CACHE.get(name)
    const { storedAt, freshUntil, ...rest } = Metadata.parse(metadata)
    const older = { storedAt: storedAt - ms, freshUntil: freshUntil - ms, ...rest }
    if (value !== null) await env.CACHE.put(name, value, { metadata: older })
  }
}

/** Gives a user the whole allowance back, since tests ask more often than people. */
export async function restoreAllowance({ user }: Session): Promise<void> {
  const gate = env.USER_GATE.getByName(user.id)
  await evictDurableObject(gate)
  await runInDurableObject(gate, (_gate, state) => {
    for (const [key] of state.storage.kv.list({ prefix: 'window:' })) state.storage.kv.delete(key)
  })
}

/** No faults, no failures counted, nothing cached. */
export async function startOver(): Promise<void> {
  await clearFaults()
  await runInDurableObject(plexBreaker(), (_breaker, state) => state.storage.deleteAll())
  await emptyCache()
}

/** What Plex was asked while something was done. */
export async function askedOfPlex(act: () => Promise<unknown>) {
  await forgetSeen('plexUrl')
  await act()
  return seen('plexUrl')
}

export const read = (path: string, { accessToken }: Session, headers: Record<string, string> = {}) =>
  ask('GET', `/api/plex${path}`, { token: accessToken, headers })

export const Items = z.object({
  data: z.array(Item),
  meta: z.object({ offset: z.int(), limit: z.int(), total: z.int() }),
})
export const Found = z.object({ data: z.array(Item), meta: z.object({ count: z.int() }) })
export const Libraries = z.object({ data: z.array(Library), meta: z.object({ count: z.int() }) })

export const readItems = async (path: string, session: Session) =>
  expectData(await read(path, session), 200, Items)
export const readFound = async (path: string, session: Session) =>
  expectData(await read(path, session), 200, Found)

/** Expects a refusal that Plex has nothing to do with. */
export async function expectRefusedBeforePlex(
  act: () => Promise<Response>,
  code: 'invalid-request' | 'forbidden',
): Promise<void> {
  const asked = await askedOfPlex(async () => expectProblem(await act(), code))
  expect(asked).toEqual([])
}
