import * as z from 'zod'

import { CollectionChange } from '../../../src/plex/collection-schema.ts'
import { askUnder } from '../support/app.ts'
import { expectData, type Session } from '../support/client.ts'
import { control, seen } from '../support/world.ts'
import { Items } from './support.ts'

const roomy = { PLEX_REQUESTS_PER_15_MINUTES: '100000' }
/** Tests ask more often than people, here and as if from another part of the world. */
export const [ask, askElsewhere] = [askUnder(roomy), askUnder(roomy)]

export const read = (path: string, { accessToken }: Session) =>
  ask('GET', `/api/plex${path}`, { token: accessToken })
export const readItems = async (path: string, session: Session) =>
  expectData(await read(path, session), 200, Items)

export const Changed = z.object({ data: CollectionChange })

const State = z.object({
  collections: z.array(
    z.object({
      ratingKey: z.string(),
      sectionKey: z.string(),
      title: z.string(),
      itemKeys: z.array(z.string()),
    }),
  ),
})

/** What Plex itself holds under that title, or under any. */
export async function held(title?: string) {
  const { collections } = State.parse(await control('plexUrl', 'state', undefined, 'GET'))
  return collections.filter((collection) => title === undefined || collection.title === title)
}

/** What Plex was told, in order, since it was last told to forget. */
export async function commands(): Promise<readonly string[]> {
  const asked = await seen('plexUrl')
  return asked.flatMap(({ method, path }) => (method === 'GET' ? [] : [`${method} ${path}`]))
}

export const newTitle = () => `Night ${crypto.randomUUID()}`

export const byTitle = (title: string, key = '1') =>
  `/api/plex/libraries/${key}/collections/by-title/${encodeURIComponent(title)}`

export const put = (title: string, json: unknown, { accessToken }: Session) =>
  ask('PUT', byTitle(title), { token: accessToken, json })

export const changed = async (answer: Promise<Response> | Response, status = 200) =>
  (await expectData(await answer, status, Changed)).data

/** Rating keys of what is in a library. */
export const keysIn = async (library: string, session: Session) =>
  (await readItems(`/libraries/${library}/items?limit=100`, session)).data.map(({ ratingKey }) => ratingKey)

export async function addMovies(count: number): Promise<string[]> {
  const keys: string[] = []
  for (let index = 0; index < count; index += 1) {
    const { ratingKey } = z
      .object({ ratingKey: z.string() })
      .parse(await control('plexUrl', 'add-movie', { title: `Filler ${index}` }))
    keys.push(ratingKey)
  }
  return keys
}

export async function removeItems(keys: readonly string[]): Promise<void> {
  for (const ratingKey of keys) await control('plexUrl', 'remove-item', { ratingKey })
}

/** Takes away what a test has made, so that the next finds Plex as it was. */
export async function removeCollections({ accessToken }: Session): Promise<void> {
  for (const { ratingKey, title } of await held()) {
    if (title === 'Animation Night') continue
    await ask('DELETE', `/api/plex/collections/${ratingKey}`, { token: accessToken })
  }
}
