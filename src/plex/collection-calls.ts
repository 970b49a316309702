import { Problem } from '#contract/problem.ts'
import type { ProblemCode } from '#contract/problems.ts'

import { batches, keysPerCall } from './collection-plan.ts'
import { libraryOf, parseCollection } from './collection-parse.ts'
import type { Collection } from './collection-schema.ts'
import { rows, text, type Row } from './container.ts'
import { plexPath, type PlexCommand, type PlexQuestion, type PlexWriter } from './ports.ts'
import type { Reading, Reads } from './reads.ts'
import { RatingKey } from './schema.ts'

type Dependencies = {
  readonly reads: Pick<Reads, 'ask' | 'page'>
  readonly writer: PlexWriter
  readonly machineIdentifier: string
}

type NewCollection = {
  readonly libraryKey: string
  readonly title: string
  readonly itemType: string
}

export type CollectionCalls = ReturnType<typeof openCollections>

/** Enough for twenty thousand; a Plex that shows more turns in circles. */
const maxPages = 200

/** Plex's numbers of what a collection may hold. */
const typeNumbers: ReadonlyMap<string, string> = new Map([
  ['movie', '1'],
  ['show', '2'],
  ['season', '3'],
  ['episode', '4'],
  ['artist', '8'],
  ['album', '9'],
  ['track', '10'],
  ['photo', '13'],
])

/** What may have been done all the same. */
const doubtful = new Set<ProblemCode>(['plex-unavailable', 'plex-maintenance', 'upstream-invalid'])

/**
 * The collections of PMS, uncached, as one admin reads and changes them; counts the commands it has sent. `held` is
 * asked before each call, and throws when they may no longer be changed.
 */
export function openCollections(
  { reads, writer, machineIdentifier }: Dependencies,
  reading: Reading,
  held: () => Promise<void> = async () => undefined,
) {
  let sent = 0

  const write = async (command: PlexCommand): Promise<Row> => {
    await held()
    sent += 1
    return writer.write(reading.caller.userId, command)
  }

  const ask = async (question: PlexQuestion): Promise<Row> => {
    await held()
    return reads.ask(reading, question)
  }

  const uriOf = (keys: readonly string[]) =>
    `server://${machineIdentifier}/com.plexapp.plugins.library/library/metadata/${keys.join(',')}`

  async function* everyRow(question: PlexQuestion): AsyncGenerator<Row> {
    let offset = 0
    for (let count = 0; count < maxPages; count += 1) {
      await held()
      const page = await reads.page(reading, question, { offset, limit: keysPerCall })
      yield* page.rows
      // A server may send less than it was asked for, and rows may go while they are being read.
      offset += page.rows.length
      if (page.rows.length === 0 || offset >= page.total) return
    }
    throw new Problem('upstream-invalid', { cause: 'a list without an end' })
  }

  const find = async (libraryKey: string, title: string): Promise<Collection | undefined> => {
    const path = plexPath`/library/sections/${libraryKey}/collections`
    for await (const row of everyRow({ path })) {
      const collection = parseCollection(row, reading.view, libraryKey)
      if (collection?.title.normalize('NFC') === title) return collection
    }
    return undefined
  }

  const itemKeys = async (ratingKey: string): Promise<readonly string[]> => {
    const keys = new Set<string>()
    for await (const row of everyRow({ path: plexPath`/library/collections/${ratingKey}/items` })) {
      const key = RatingKey.safeParse(text(row['ratingKey']))
      if (key.success) keys.add(key.data)
    }
    return [...keys]
  }

  const add = (ratingKey: string, keys: readonly string[]) =>
    write({
      method: 'PUT',
      path: plexPath`/library/collections/${ratingKey}/items`,
      query: { uri: uriOf(keys) },
    })

  return {
    find,
    itemKeys,
    add,
    sent: () => sent,

    async read(ratingKey: string): Promise<Collection & { readonly libraryKey: string }> {
      const container = await ask({ path: plexPath`/library/collections/${ratingKey}` })
      const [row] = rows(container['Metadata'])
      const collection = row && parseCollection(row, reading.view, libraryOf(container))
      if (!collection) throw new Problem('not-found')
      const { libraryKey } = collection
      if (libraryKey === undefined) throw new Problem('upstream-invalid', { cause: 'of no library' })
      return { ...collection, libraryKey }
    },

    /** What those items are, when all are of the library and of one type; that of the collection, if it has one. */
    async typeOf(libraryKey: string, items: readonly string[], itemType?: string): Promise<string> {
      const known = new Map<string, string>()
      for (const batch of batches(items)) {
        const path = plexPath`/library/metadata/${batch.join(',')}`
        const container = await ask({ path }).catch(nothingIfNotFound)
        for (const row of rows(container['Metadata'])) {
          const [key, type] = [text(row['ratingKey']), text(row['type'])]
          const library = text(row['librarySectionID']) ?? libraryOf(container)
          if (key && library === libraryKey) known.set(key, type ?? '')
        }
      }
      const isHeld = (type: string | undefined) => type !== undefined && typeNumbers.has(type)
      const expected = isHeld(itemType) ? itemType : [...known.values()].find(isHeld)
      const faults = items.flatMap((key) => faultOf(key, known.get(key), expected) ?? [])
      if (expected === undefined || faults.length > 0) throw new UnfitItems(faults)
      return expected
    },

    /**
     * Makes a collection, and answers its key. Whether a create without an answer has been one, its title tells: it is
     * never sent again. What is found may have been made by somebody else, and lack our items.
     */
    async create({ libraryKey, title, itemType }: NewCollection, keys: readonly string[]): Promise<string> {
      const path = plexPath`/library/collections`
      const query = {
        type: typeNumbers.get(itemType) ?? '',
        title,
        smart: '0',
        sectionId: libraryKey,
        uri: uriOf(keys),
      }
      let failure: unknown
      try {
        const container = await write({ method: 'POST', path, query })
        const made = RatingKey.safeParse(text(rows(container['Metadata'])[0]?.['ratingKey']))
        if (made.success) return made.data
        failure = new Problem('upstream-invalid', { cause: 'no collection in the answer to its making' })
      } catch (error) {
        if (!(error instanceof Problem && doubtful.has(error.code))) throw error
        failure = error
      }
      const found = await find(libraryKey, title).catch(() => undefined)
      if (!found) throw failure
      const held = new Set(await itemKeys(found.ratingKey))
      if (!keys.every((key) => held.has(key))) await add(found.ratingKey, keys)
      return found.ratingKey
    },

    remove: (ratingKey: string, key: string) =>
      write({ method: 'DELETE', path: plexPath`/library/collections/${ratingKey}/items/${key}` }),

    rename: (libraryKey: string, ratingKey: string, title: string) =>
      write({
        method: 'PUT',
        path: plexPath`/library/sections/${libraryKey}/all`,
        // Locked, or the next refresh of metadata may bring the old title back.
        query: { type: '18', id: ratingKey, 'title.value': title, 'title.locked': '1' },
      }),

    delete: (ratingKey: string) =>
      write({ method: 'DELETE', path: plexPath`/library/collections/${ratingKey}` }),
  }
}

type Fault = { readonly key: string; readonly detail: string }

/** Items that cannot be in the collection, and why. */
export class UnfitItems extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super('unfit items')
    this.faults = faults
  }
}

function faultOf(key: string, type: string | undefined, expected: string | undefined): Fault | undefined {
  if (type === undefined) return { key, detail: 'is not in this library' }
  if (!typeNumbers.has(type)) return { key, detail: 'is nothing that a collection can hold' }
  return type === expected
    ? undefined
    : { key, detail: `is of type ${type}; the collection holds ${expected}` }
}

function nothingIfNotFound(error: unknown): Row {
  if (error instanceof Problem && error.code === 'not-found') return {}
  throw error
}
