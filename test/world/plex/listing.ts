import { typeNumbers, type Catalogue, type Item, type Kind, type Section } from './catalogue.ts'
import { leavesOf } from './item-rows.ts'

type Value = string | number | undefined

const sortValues: Readonly<Record<string, (item: Item) => Value>> = {
  addedAt: (item) => item.addedAt,
  updatedAt: (item) => item.updatedAt,
  titleSort: (item) => (item.titleSort ?? item.title).toLowerCase(),
  title: (item) => item.title.toLowerCase(),
  year: (item) => item.year,
  originallyAvailableAt: (item) => item.originallyAvailableAt,
  rating: (item) => item.rating,
  audienceRating: (item) => item.audienceRating,
  lastViewedAt: (item) => item.lastViewedAt,
  viewCount: (item) => item.viewCount,
  duration: (item) => item.durationMs,
  index: (item) => item.index,
}

/** The items of a section that a query asks for. Parameters it does not know are ignored, as Plex ignores them. */
export function listItems(catalogue: Catalogue, section: Section, query: URLSearchParams): readonly Item[] {
  const kind = kindOf(query.get('type')) ?? section.type
  const order = query.get('sort') ?? 'titleSort'
  const list = catalogue.remembered(section.key, `${kind} by ${order}`, () =>
    sortItems(catalogue.list(section.key, kind), order),
  )
  const tests = [...query].flatMap(([name, value]) => filter(catalogue, name, value) ?? [])
  const found = tests.length ? list.filter((item) => tests.every((test) => test(item))) : list
  return order.startsWith('random') ? found.toSorted(() => Math.random() - 0.5) : found
}

export function kindOf(type: string | null): Kind | undefined {
  const kinds: readonly Kind[] = ['movie', 'show', 'season', 'episode']
  return kinds.find((kind) => String(typeNumbers[kind]) === type)
}

/** Sorts by a comma chain of keys, each with an optional direction and `nullsLast`. */
export function sortItems(items: readonly Item[], order: string): readonly Item[] {
  const keys = order.split(',').flatMap((part) => {
    const [name = '', ...flags] = part.split(':')
    const value = sortValues[name.split('.').at(-1) ?? '']
    return value
      ? [{ value, sign: flags.includes('desc') ? -1 : 1, nullsLast: flags.includes('nullsLast') }]
      : []
  })
  return items.toSorted((a, b) => {
    for (const { value, sign, nullsLast } of keys) {
      const difference = compare(value(a), value(b), sign, nullsLast)
      if (difference !== 0) return difference
    }
    return 0
  })
}

function compare(a: Value, b: Value, sign: number, nullsLast: boolean): number {
  if (a === b) return 0
  if (a === undefined) return nullsLast ? 1 : -sign
  if (b === undefined) return nullsLast ? -1 : sign
  return a < b ? -sign : sign
}

type Test = (item: Item) => boolean

function filter(catalogue: Catalogue, name: string, value: string): Test | undefined {
  switch (name) {
    case 'title':
      return (item) => item.title.toLowerCase().includes(value.toLowerCase())
    case 'year':
      return (item) => value.split(',').includes(String(item.year))
    case 'resolution':
      return (item) => value.split(',').includes(item.resolution ?? '')
    case 'unwatched':
      return value === '1' ? (item) => !item.viewCount && item.kind !== 'show' : undefined
    case 'unwatchedLeaves':
    case 'show.unwatchedLeaves':
      return value === '1' ? (item) => leavesOf(catalogue, item).some((leaf) => !leaf.viewCount) : undefined
    case 'genre':
      return tagged(catalogue, value, (item) => item.genres)
    case 'actor':
      return tagged(catalogue, value, (item) => item.cast)
    case 'director':
      return tagged(catalogue, value, (item) => item.directors)
    case 'addedAt>>':
      return (item) => item.addedAt > Number(value)
    case 'addedAt<<':
      return (item) => item.addedAt < Number(value)
    default:
      return undefined
  }
}

function tagged(
  catalogue: Catalogue,
  ids: string,
  names: (item: Item) => readonly string[] | undefined,
): Test {
  const wanted = ids.split(',').flatMap((id) => catalogue.tags.byId(Number(id))?.name ?? [])
  return (item) => wanted.some((name) => names(item)?.includes(name) ?? false)
}

/**
 * The newest things of a section. Episodes are grouped: a season stands for its episodes when it has several.
 */
export function recentlyAdded(catalogue: Catalogue, section: Section): readonly Item[] {
  return catalogue.remembered(section.key, 'recently added', () => {
    if (section.type === 'movie') return sortItems(catalogue.list(section.key, 'movie'), 'addedAt:desc')
    const grouped = catalogue.list(section.key, 'season').flatMap((season) => {
      const episodes = catalogue.childrenOf(season.ratingKey)
      return episodes.length > 1 ? [season] : episodes
    })
    return sortItems(grouped, 'addedAt:desc')
  })
}
