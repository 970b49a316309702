import { isProblem, Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Caller } from '../http/env.ts'
import { openCollections, UnfitItems, type CollectionCalls } from './collection-calls.ts'
import { libraryOf, parseCollection } from './collection-parse.ts'
import { planCollection, type CollectionPlan } from './collection-plan.ts'
import type { Collection, CollectionChange, PutCollection } from './collection-schema.ts'
import { rows } from './container.ts'
import { plexPath, type Audit, type Images, type PlexLocks, type PlexWriter } from './ports.ts'
import { itemsOf, type Paging, type Reading, type Reads } from './reads.ts'

export type Collections = ReturnType<typeof createCollections>

export type CollectionDependencies = {
  readonly reads: Pick<Reads, 'ask' | 'page' | 'cached'>
  readonly writer: PlexWriter
  readonly locks: PlexLocks
  readonly images: Images
  /** Makes what is cached of the library old: for this user at once, for others within seconds. */
  readonly changed: (userId: string, libraryKey: string) => Promise<void>
  readonly audit: Audit
  readonly machineIdentifier: string
  readonly ttlMs: number
  readonly now: () => number
}

/** A title in a library: what there is one collection of, and one writer at a time. */
type Place = { readonly libraryKey: string; readonly title: string }

const lockOf = ({ libraryKey, title }: Place) => `collection:${libraryKey}:${title.normalize('NFC')}`

export function createCollections(dependencies: CollectionDependencies) {
  const { reads, locks, images, changed, audit, machineIdentifier, ttlMs, now } = dependencies

  const readingOf = (caller: Caller): Reading => ({
    caller,
    view: { now: now(), paths: true, machineIdentifier },
  })

  /** Goes on when the client hangs up: what has begun is finished, and made known. */
  const whole = async (
    { caller, background }: Asked,
    work: Promise<CollectionChange>,
  ): Promise<CollectionChange> => {
    background(work.catch(() => undefined))
    return images.sign(caller.scope, await work)
  }

  /** Under the locks of all the titles. Whatever became of what was sent: the cache is old, and the sender on record. */
  const underLock = (
    caller: Caller,
    action: string,
    places: readonly [Place, ...Place[]],
    work: (calls: CollectionCalls) => Promise<CollectionChange>,
  ): Promise<CollectionChange> =>
    locks.run(places.map(lockOf), async (held) => {
      const calls = openCollections(dependencies, readingOf(caller), held)
      try {
        return await work(calls)
      } finally {
        if (calls.sent() > 0) {
          const [{ libraryKey, title }] = places
          await changed(caller.userId, libraryKey)
          const target = `${libraryKey}:${title}`
          await audit({ actor: caller.userId, action: `plex.collection.${action}`, target })
        }
      }
    })

  const put = (asked: Asked, place: Place, wanted: PutCollection): Promise<CollectionChange> => {
    const work = async (calls: CollectionCalls) => {
      const known = await calls.find(place.libraryKey, place.title)
      return bringTo({ ...place, known }, wanted, calls)
    }
    // What changes nothing need not wait for others.
    const change = wanted.dryRun
      ? work(openCollections(dependencies, readingOf(asked.caller)))
      : underLock(asked.caller, 'put', [place], work)
    return whole(asked, change)
  }

  /** A change of one collection, by its key, under the lock of its title and, to be renamed, of the one it gets. */
  const changeOne = (
    asked: Asked,
    ratingKey: string,
    { action, title }: { action: string; title?: string },
    work: (calls: CollectionCalls, known: Collection & Place) => Promise<CollectionChange>,
  ): Promise<CollectionChange> => {
    const { caller } = asked
    const change = async () => {
      const known = await openCollections(dependencies, readingOf(caller)).read(ratingKey)
      const places = [known, ...(title === undefined ? [] : [{ ...known, title }])] as const
      return underLock(caller, action, places, (calls) => work(calls, known))
    }
    return whole(asked, change())
  }

  return {
    ...createCollectionReads(reads, ttlMs),

    put,

    /** Makes it, or adds to the one that has the title already: to Plex they are the same. */
    create: (asked: Asked, place: Place, items: readonly string[]) =>
      put(asked, place, { items: [...items], mode: 'add', dryRun: false }),

    add: (asked: Asked, ratingKey: string, items: readonly string[]) =>
      changeOne(asked, ratingKey, { action: 'add' }, (calls, known) =>
        bringTo({ ...known, known }, { items: [...items], mode: 'add', dryRun: false }, calls),
      ),

    remove: (asked: Asked, ratingKey: string, itemKey: string) =>
      changeOne(asked, ratingKey, { action: 'remove' }, async (calls, known) => {
        if (known.smart) throw new Problem('collection-is-smart')
        await calls.remove(ratingKey, itemKey)
        // With its last item a collection is gone.
        const collection = await calls.read(ratingKey).catch(nothingIfGone)
        return { ...unchanged, removed: [itemKey], calls: 1, ...(collection && { collection }) }
      }),

    rename: (asked: Asked, ratingKey: string, title: string) =>
      changeOne(asked, ratingKey, { action: 'rename', title }, async (calls, known) => {
        if (known.title === title) return { ...unchanged, collection: known }
        const holder = await calls.find(known.libraryKey, title)
        if (holder && holder.ratingKey !== ratingKey) throw new Problem('collection-title-taken')
        await calls.rename(known.libraryKey, ratingKey, title)
        return { ...unchanged, calls: 1, collection: await calls.read(ratingKey) }
      }),

    delete: (asked: Asked, ratingKey: string) =>
      changeOne(asked, ratingKey, { action: 'delete' }, async (calls) => {
        await calls.delete(ratingKey)
        return { ...unchanged, calls: 1 }
      }),
  }
}

const unchanged = { created: false, added: [], removed: [], calls: 0 }

function createCollectionReads({ ask, page, cached }: CollectionDependencies['reads'], ttlMs: number) {
  return {
    list: (asked: Asked, libraryKey: string, paging: Paging): Promise<CachedAnswer> =>
      cached(
        asked,
        `collections:${libraryKey}:${paging.offset}:${paging.limit}`,
        ttlMs,
        async (reading) => {
          const path = plexPath`/library/sections/${libraryKey}/collections`
          const { rows: received, total } = await page(reading, { path }, paging)
          const data = received.flatMap((row) => parseCollection(row, reading.view, libraryKey) ?? [])
          return { data, meta: { ...paging, total } }
        },
        libraryKey,
      ),

    read: (asked: Asked, ratingKey: string): Promise<CachedAnswer> =>
      cached(
        asked,
        `collection:${ratingKey}`,
        ttlMs,
        async (reading: Reading) => {
          const container = await ask(reading, { path: plexPath`/library/collections/${ratingKey}` })
          const [row] = rows(container['Metadata'])
          const data = row && parseCollection(row, reading.view, libraryOf(container))
          if (!data) throw new Problem('not-found')
          return { data }
        },
        'own',
      ),

    items: (asked: Asked, ratingKey: string, paging: Paging): Promise<CachedAnswer> =>
      cached(
        asked,
        `collection-items:${ratingKey}:${paging.offset}:${paging.limit}`,
        ttlMs,
        async (reading) => {
          const path = plexPath`/library/collections/${ratingKey}/items`
          const { rows: received, total, libraryKey } = await page(reading, { path }, paging)
          return { data: itemsOf(received, reading, libraryKey), meta: { ...paging, total } }
        },
        'own',
      ),
  }
}

/** Brings what is there to what is wanted; `known` is absent when there is none of that title. */
async function bringTo(
  place: Place & { readonly known: Collection | undefined },
  wanted: PutCollection,
  calls: CollectionCalls,
): Promise<CollectionChange> {
  const { libraryKey, known } = place
  if (known?.smart) throw new Problem('collection-is-smart')
  const current = known && (await calls.itemKeys(known.ratingKey))
  const plan = planCollection(current, wanted.items, wanted.mode)
  const { added, removed, steps } = plan
  const itemType =
    added.length > 0
      ? await calls.typeOf(libraryKey, added, known?.itemType).catch(asInvalid(wanted.items))
      : (known?.itemType ?? '')
  const outcome = { created: !known, added: [...added], removed: [...removed] }
  if (wanted.dryRun || steps.length === 0) {
    return { ...outcome, calls: steps.length, ...(known && { collection: known }) }
  }
  const ratingKey = await carryOut(plan, { ...place, itemType }, calls)
  const collection = await calls.read(ratingKey)
  return { ...outcome, calls: calls.sent(), collection }
}

async function carryOut(
  { steps }: CollectionPlan,
  { libraryKey, title, known, itemType }: Place & { known: Collection | undefined; itemType: string },
  calls: CollectionCalls,
): Promise<string> {
  let ratingKey = known?.ratingKey ?? ''
  for (const step of steps) {
    switch (step.kind) {
      case 'create':
        ratingKey = await calls.create({ libraryKey, title, itemType }, step.keys)
        break
      case 'add':
        await calls.add(ratingKey, step.keys)
        break
      case 'remove':
        // Somebody was quicker.
        await calls.remove(ratingKey, step.key).catch(nothingIfGone)
        break
      case 'delete':
        await calls.delete(ratingKey).catch(nothingIfGone)
        break
    }
  }
  return ratingKey
}

function nothingIfGone(error: unknown): undefined {
  if (!isProblem(error, 'not-found')) throw error
}

/** Says of each item that cannot be in the collection where in the request it is, and why. */
const asInvalid =
  (items: readonly string[]) =>
  (error: unknown): never => {
    if (!(error instanceof UnfitItems)) throw error
    const errors = error.faults.map(({ key, detail }) => ({
      pointer: `json#/items/${items.indexOf(key)}`,
      detail: `${key} ${detail}`,
    }))
    throw new Problem('invalid-request', { members: { errors } })
  }
