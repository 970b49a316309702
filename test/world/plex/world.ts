import type { Exchange } from '../stand-in.ts'
import type { Viewer } from './access.ts'
import type { Catalogue, Item, Section } from './catalogue.ts'
import type { CollectionStore } from './collection-store.ts'
import { itemRow, type RowOptions } from './item-rows.ts'
import type { Row } from './row.ts'
import type { Scanner } from './scanner.ts'
import type { PlexSession } from './sessions.ts'
import type { Webhooks } from './webhooks.ts'

/** Everything the server knows. */
export type World = {
  readonly machineIdentifier: string
  readonly friendlyName: string
  readonly catalogue: Catalogue
  readonly collections: CollectionStore
  readonly scanner: Scanner
  readonly webhooks: Webhooks
  readonly now: () => number
  /** Key of the section whose items are files on disk. */
  readonly filesSection: string
  /** At most so many rows a page, whatever is asked for. */
  readonly pageCap: number
  /** Absolute addresses the picture transcoder was asked to fetch. */
  readonly fetchedAddresses: string[]
  sessions: readonly PlexSession[]
  maintenance: boolean
}

/** One request of somebody who may be here. */
export type Call = {
  readonly exchange: Exchange
  readonly query: URLSearchParams
  readonly viewer: Viewer
  readonly world: World
  /** The groups of the route's pattern, decoded. */
  readonly params: readonly string[]
}

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly pattern: RegExp
  readonly ownerOnly?: boolean
  readonly handle: (call: Call) => void | Promise<void>
}

/** The section a key names, when this caller sees it. */
export function visibleSection({ world, viewer }: Call, key: string | undefined): Section | undefined {
  return key !== undefined && viewer.sees(key) ? world.catalogue.section(key) : undefined
}

export function visibleSections({ world, viewer }: Call): readonly Section[] {
  return world.catalogue.sections.filter(({ key }) => viewer.sees(key))
}

/** The item a rating key names, when this caller sees its section. */
export function visibleItem({ world, viewer }: Call, ratingKey: string | undefined): Item | undefined {
  const item = ratingKey === undefined ? undefined : world.catalogue.item(ratingKey)
  return item && viewer.sees(item.sectionKey) ? item : undefined
}

/** An item's row as this request wants it. */
export function rowFor({ world, query }: Call, item: Item, options: RowOptions = {}): Row {
  const guids = query.get('includeGuids') === '1'
  const row = itemRow(world.catalogue, item, {
    guids,
    collections: world.collections.titlesOf(item),
    ...options,
  })
  const excluded = [query.get('excludeFields'), query.get('excludeElements')].flatMap(
    (list) => list?.split(',') ?? [],
  )
  if (excluded.length === 0) return row
  return Object.fromEntries(Object.entries(row).filter(([name]) => !excluded.includes(name)))
}
