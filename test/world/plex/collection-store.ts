import { listItems } from './listing.ts'
import type { Catalogue, Item, Kind } from './catalogue.ts'
import { hash } from './poster.ts'

export type Collection = {
  readonly ratingKey: string
  readonly sectionKey: string
  readonly subtype: Kind
  /** The number of its tag, which is not its rating key. */
  readonly index: number
  readonly guid: string
  readonly addedAt: number
  /** The query that decides what a smart collection holds. */
  readonly smart?: URLSearchParams
  title: string
  updatedAt: number
  summary: string
  itemKeys: readonly string[]
  mode: string
  sort: string
}

type NewCollection = Pick<Collection, 'sectionKey' | 'title' | 'subtype' | 'itemKeys' | 'smart'>

/** Collections are tags: one title in one section is one collection, whoever creates it again. */
export class CollectionStore {
  private readonly collections = new Map<string, Collection>()
  private readonly catalogue: Catalogue
  private readonly now: () => number

  constructor(catalogue: Catalogue, now: () => number) {
    this.catalogue = catalogue
    this.now = now
  }

  all(): readonly Collection[] {
    return [...this.collections.values()]
  }

  list(sectionKey: string): readonly Collection[] {
    return this.all().filter((collection) => collection.sectionKey === sectionKey)
  }

  titled(sectionKey: string, title: string): Collection | undefined {
    return this.list(sectionKey).find((known) => known.title === title)
  }

  find(ratingKey: string): Collection | undefined {
    return this.collections.get(ratingKey)
  }

  create(wanted: NewCollection): Collection {
    const { sectionKey, title, itemKeys } = wanted
    const known = this.titled(sectionKey, title)
    if (known) {
      this.add(known, itemKeys)
      return known
    }
    const collection: Collection = {
      ...wanted,
      ratingKey: this.catalogue.nextKey(),
      index: this.catalogue.tags.of('collection', sectionKey, title).id,
      guid: `collection://${hash(title).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
      addedAt: this.seconds(),
      updatedAt: this.seconds(),
      summary: '',
      mode: '-1',
      sort: '0',
    }
    this.collections.set(collection.ratingKey, collection)
    this.catalogue.touched(sectionKey)
    return collection
  }

  add(collection: Collection, keys: readonly string[]): void {
    this.change(collection, [...new Set([...collection.itemKeys, ...keys])])
  }

  change(collection: Collection, itemKeys: readonly string[]): void {
    collection.itemKeys = itemKeys
    collection.updatedAt = this.seconds()
    // A tag that nothing carries is gone.
    if (itemKeys.length === 0 && !collection.smart) this.collections.delete(collection.ratingKey)
    this.catalogue.touched(collection.sectionKey)
  }

  rename(collection: Collection, title: string): void {
    collection.title = title
    collection.updatedAt = this.seconds()
    this.catalogue.touched(collection.sectionKey)
  }

  delete(collection: Collection): void {
    this.collections.delete(collection.ratingKey)
    this.catalogue.touched(collection.sectionKey)
  }

  items(collection: Collection): readonly Item[] {
    const section = this.catalogue.section(collection.sectionKey)
    if (collection.smart && section) return listItems(this.catalogue, section, collection.smart)
    return collection.itemKeys.flatMap((key) => this.catalogue.item(key) ?? [])
  }

  /** An item that is gone is in no collection any more. */
  forget(ratingKey: string): void {
    for (const collection of this.all()) {
      const kept = collection.itemKeys.filter((key) => key !== ratingKey)
      if (kept.length < collection.itemKeys.length) this.change(collection, kept)
    }
  }

  /** The titles of the collections an item is in. */
  titlesOf({ sectionKey, ratingKey }: Item): readonly string[] {
    return this.list(sectionKey).flatMap(({ itemKeys, title }) =>
      itemKeys.includes(ratingKey) ? [title] : [],
    )
  }

  private seconds(): number {
    return Math.floor(this.now() / 1000)
  }
}
