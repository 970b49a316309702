import type { Catalogue, Item } from './catalogue.ts'
import { rows, type Row } from './row.ts'

export type RowOptions = {
  /** A row of its own rather than one in a list: names its section, and lists its streams. */
  readonly detail?: boolean
  readonly guids?: boolean
  readonly collections?: readonly string[]
}

const dimensions = { '4k': [3840, 2160], '1080': [1920, 1080], '720': [1280, 720], sd: [720, 480] } as const

/** An item as Plex shows it; what is not known is left out. */
export function itemRow(catalogue: Catalogue, item: Item, options: RowOptions = {}): Row {
  const self = `/library/metadata/${item.ratingKey}`
  const nested = item.kind === 'show' || item.kind === 'season'
  return {
    ratingKey: item.ratingKey,
    key: nested ? `${self}/children` : self,
    ...ancestors(catalogue, item),
    guid: item.guid,
    ...(options.detail ? sectionOf(catalogue, item) : {}),
    type: item.kind,
    title: item.title,
    titleSort: item.titleSort,
    studio: item.studio,
    contentRating: item.contentRating,
    summary: item.summary ?? '',
    index: item.index,
    rating: item.rating,
    audienceRating: item.audienceRating,
    viewCount: item.viewCount,
    viewOffset: item.viewOffset,
    lastViewedAt: item.lastViewedAt,
    year: item.year,
    thumb: item.pictured ? `${self}/thumb/${item.updatedAt}` : undefined,
    art: item.pictured ? `${self}/art/${item.updatedAt}` : undefined,
    duration: item.durationMs,
    originallyAvailableAt: item.originallyAvailableAt,
    ...(nested ? counts(catalogue, item) : {}),
    addedAt: item.addedAt,
    updatedAt: item.updatedAt,
    ...(item.file ? { Media: [mediaRow(item, options.detail ?? false)] } : {}),
    ...tagRows(catalogue, item, options),
  }
}

function sectionOf(catalogue: Catalogue, item: Item): Row {
  return {
    librarySectionTitle: catalogue.section(item.sectionKey)?.title,
    librarySectionID: Number(item.sectionKey),
    librarySectionKey: `/library/sections/${item.sectionKey}`,
  }
}

function ancestors(catalogue: Catalogue, item: Item): Row {
  const parent = item.parent ? catalogue.item(item.parent) : undefined
  if (!parent) return {}
  const grandparent = parent.parent ? catalogue.item(parent.parent) : undefined
  return { ...lineage('parent', parent), ...(grandparent ? lineage('grandparent', grandparent) : {}) }
}

function lineage(prefix: string, item: Item): Row {
  const self = `/library/metadata/${item.ratingKey}`
  return {
    [`${prefix}RatingKey`]: item.ratingKey,
    [`${prefix}Key`]: self,
    [`${prefix}Guid`]: item.guid,
    [`${prefix}Title`]: item.title,
    [`${prefix}Thumb`]: `${self}/thumb/${item.updatedAt}`,
    ...(prefix === 'parent'
      ? { parentIndex: item.index }
      : { grandparentArt: `${self}/art/${item.updatedAt}` }),
  }
}

/** The episodes below a show or a season. */
export function leavesOf(catalogue: Catalogue, item: Item): readonly Item[] {
  const children = catalogue.childrenOf(item.ratingKey)
  return item.kind === 'show' ? children.flatMap((season) => leavesOf(catalogue, season)) : children
}

function counts(catalogue: Catalogue, item: Item): Row {
  const leaves = leavesOf(catalogue, item)
  return {
    leafCount: leaves.length,
    viewedLeafCount: leaves.filter((leaf) => leaf.viewCount).length,
    childCount: item.kind === 'show' ? catalogue.childrenOf(item.ratingKey).length : undefined,
  }
}

function mediaRow(item: Item, detail: boolean): Row {
  const id = Number(item.ratingKey)
  const container = item.file?.split('.').at(-1) ?? 'mkv'
  const [width, height] = item.resolution ? dimensions[item.resolution] : [undefined, undefined]
  const stream = {
    id: id * 10 + 1,
    streamType: 1,
    codec: 'h264',
    index: 0,
    width,
    height,
    displayTitle: 'H.264',
  }
  return {
    id: id + 50_000,
    duration: item.durationMs,
    bitrate: item.durationMs ? 4200 : undefined,
    width,
    height,
    ...(item.resolution ? { videoCodec: 'h264', audioCodec: 'aac', audioChannels: 2 } : {}),
    videoResolution: item.resolution,
    container,
    Part: [
      {
        id: id + 60_000,
        key: `/library/parts/${id + 60_000}/${item.updatedAt}/file.${container}`,
        duration: item.durationMs,
        file: item.file,
        size: item.fileSize,
        container,
        ...(detail ? { Stream: [stream] } : {}),
      },
    ],
  }
}

function tagRows(catalogue: Catalogue, item: Item, options: RowOptions): Row {
  const tagged = (kind: 'genre' | 'director' | 'actor', names: readonly string[] = []) =>
    names.map((tag): Row => {
      const { id } = catalogue.tags.of(kind, item.sectionKey, tag)
      return options.detail ? { id, filter: `${kind}=${id}`, tag } : { tag }
    })
  return {
    ...rows('Genre', tagged('genre', item.genres)),
    ...rows('Director', tagged('director', item.directors)),
    ...rows('Role', tagged('actor', item.cast)),
    ...rows('Collection', options.collections?.map((tag) => ({ tag })) ?? []),
    ...(options.guids ? rows('Guid', item.externalIds?.map((id) => ({ id })) ?? []) : {}),
  }
}
