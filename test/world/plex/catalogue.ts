export type Kind = 'movie' | 'show' | 'season' | 'episode'

export const typeNumbers: Readonly<Record<Kind | 'collection', number>> = {
  movie: 1,
  show: 2,
  season: 3,
  episode: 4,
  collection: 18,
}

export type Section = {
  readonly key: string
  readonly type: 'movie' | 'show'
  readonly title: string
  readonly agent: string
  readonly scanner: string
  readonly uuid: string
  readonly locations: readonly { readonly id: number; readonly path: string }[]
  readonly createdAt: number
  updatedAt: number
  scannedAt: number
  contentChangedAt: number
}

export type Item = {
  readonly ratingKey: string
  readonly kind: Kind
  readonly sectionKey: string
  readonly title: string
  readonly addedAt: number
  readonly updatedAt: number
  readonly guid: string
  readonly titleSort?: string
  readonly summary?: string
  readonly year?: number
  readonly studio?: string
  readonly contentRating?: string
  readonly rating?: number
  readonly audienceRating?: number
  readonly durationMs?: number
  readonly originallyAvailableAt?: string
  readonly genres?: readonly string[]
  readonly directors?: readonly string[]
  readonly cast?: readonly string[]
  readonly externalIds?: readonly string[]
  readonly index?: number
  readonly parent?: string
  readonly file?: string
  readonly fileSize?: number
  readonly resolution?: '4k' | '1080' | '720' | 'sd'
  readonly pictured?: boolean
  viewCount?: number
  viewOffset?: number
  lastViewedAt?: number
}

export type TagKind = 'genre' | 'director' | 'actor' | 'collection'
export type Tag = {
  readonly id: number
  readonly kind: TagKind
  readonly sectionKey: string
  readonly name: string
}

/** What the server holds: sections, items and tags, with each list kept sorted until its section changes. */
export class Catalogue {
  readonly sections: readonly Section[]
  readonly tags = new Tags()
  private readonly items = new Map<string, Item>()
  private readonly lists = new Map<string, Item[]>()
  private readonly children = new Map<string, Item[]>()
  private readonly computed = new Map<string, Map<string, readonly Item[]>>()
  private lastKey = 0

  constructor(sections: readonly Section[]) {
    this.sections = sections
  }

  section(key: string): Section | undefined {
    return this.sections.find((section) => section.key === key)
  }

  item(ratingKey: string): Item | undefined {
    return this.items.get(ratingKey)
  }

  childrenOf(ratingKey: string): readonly Item[] {
    return this.children.get(ratingKey) ?? []
  }

  list(sectionKey: string, kind: Kind): readonly Item[] {
    return this.lists.get(listName(sectionKey, kind)) ?? []
  }

  nextKey(): string {
    this.lastKey += 1
    return String(this.lastKey)
  }

  put(item: Item): Item {
    this.items.set(item.ratingKey, item)
    append(this.lists, listName(item.sectionKey, item.kind), item)
    if (item.parent) append(this.children, item.parent, item)
    this.touched(item.sectionKey)
    return item
  }

  /** Removes an item and all that is below it. */
  remove(ratingKey: string): boolean {
    const item = this.items.get(ratingKey)
    if (!item) return false
    for (const child of this.childrenOf(ratingKey).slice()) this.remove(child.ratingKey)
    this.items.delete(ratingKey)
    this.children.delete(ratingKey)
    drop(this.lists.get(listName(item.sectionKey, item.kind)), item)
    if (item.parent) drop(this.children.get(item.parent), item)
    this.touched(item.sectionKey)
    return true
  }

  touched(sectionKey: string): void {
    this.computed.delete(sectionKey)
    const section = this.section(sectionKey)
    if (section) section.contentChangedAt += 1
  }

  /** A list that is computed once and kept until the section changes. */
  remembered(sectionKey: string, name: string, compute: () => readonly Item[]): readonly Item[] {
    const known = this.computed.get(sectionKey) ?? new Map<string, readonly Item[]>()
    this.computed.set(sectionKey, known)
    const list = known.get(name) ?? compute()
    known.set(name, list)
    return list
  }
}

class Tags {
  private readonly byName = new Map<string, Tag>()
  private readonly numbered = new Map<number, Tag>()

  of(kind: TagKind, sectionKey: string, name: string): Tag {
    const index = `${kind}\n${sectionKey}\n${name}`
    const tag = this.byName.get(index) ?? { id: 301 + this.numbered.size, kind, sectionKey, name }
    this.byName.set(index, tag)
    this.numbered.set(tag.id, tag)
    return tag
  }

  byId(id: number): Tag | undefined {
    return this.numbered.get(id)
  }
}

function listName(sectionKey: string, kind: Kind): string {
  return `${sectionKey}/${kind}`
}

function append(lists: Map<string, Item[]>, name: string, item: Item): void {
  const list = lists.get(name)
  if (list) list.push(item)
  else lists.set(name, [item])
}

function drop(list: Item[] | undefined, item: Item): void {
  const at = list?.indexOf(item) ?? -1
  if (at >= 0) list?.splice(at, 1)
}
