import type { Catalogue, Item } from './catalogue.ts'
import { firstAdded, sortTitle } from './movie-data.ts'
import { hash } from './poster.ts'

type Programme = {
  readonly title: string
  readonly year: number
  readonly genres: readonly string[]
  readonly cast: readonly string[]
  /** Episodes of each season, by season number; 0 holds the specials. */
  readonly seasons: Readonly<Record<number, number>>
}

const programmes: readonly Programme[] = [
  {
    title: 'The Lighthouse Keepers',
    year: 2014,
    genres: ['Drama'],
    cast: ['Ada Quill', 'Halina Reijn'],
    seasons: { 1: 8, 2: 6 },
  },
  {
    title: 'Workshop Wonders',
    year: 2017,
    genres: ['Documentary'],
    cast: ['Bo Tanner'],
    seasons: { 0: 2, 1: 5, 2: 5 },
  },
  {
    title: 'Night Train North',
    year: 2020,
    genres: ['Thriller', 'Mystery'],
    cast: ['Vincent Price', 'Ada Quill'],
    seasons: { 1: 6 },
  },
  {
    title: 'Die Sterne über Köln',
    year: 2022,
    genres: ['Comedy'],
    cast: ['Lena Ötker'],
    seasons: { 1: 4, 2: 4, 3: 1 },
  },
  { title: '1899', year: 2022, genres: ['Mystery'], cast: ['Emily Beecham'], seasons: { 1: 8 } },
]

const day = 86_400

export function addShows(catalogue: Catalogue, sectionKey: string, folder: string): void {
  for (const [index, programme] of programmes.entries()) {
    addShow(catalogue, { programme, sectionKey, folder, addedAt: firstAdded + index * 40 * day })
  }
}

/** Shows of a single episode, whose only purpose is to be many. */
export function addFillerShows(
  catalogue: Catalogue,
  sectionKey: string,
  folder: string,
  count: number,
): void {
  for (let i = 0; i < count; i += 1) {
    const title = `Filler Show ${i.toString().padStart(5, '0')}`
    const programme = { title, year: 1980 + (i % 45), genres: ['Filler'], cast: [], seasons: { 1: 1 } }
    addShow(catalogue, { programme, sectionKey, folder, addedAt: firstAdded - i * 60 })
  }
}

type NewShow = { programme: Programme; sectionKey: string; folder: string; addedAt: number }

function addShow(catalogue: Catalogue, { programme, sectionKey, folder, addedAt }: NewShow): void {
  const { title, year, genres, cast } = programme
  const show = catalogue.put({
    ...common(catalogue, {
      kind: 'show',
      sectionKey,
      title,
      addedAt,
      guid: `plex://show/${hash(title).toString(16)}`,
    }),
    ...sortTitle(title),
    index: 1,
    year,
    genres,
    cast,
    summary: `The series ${title}.`,
    studio: 'Harbour Television',
    contentRating: 'TV-14',
    durationMs: 2_700_000,
    originallyAvailableAt: `${year}-03-19`,
    externalIds: [`tvdb://${hash(title) % 400_000}`],
  })
  for (const [number, episodes] of Object.entries(programme.seasons)) {
    addSeason(catalogue, { show, number: Number(number), episodes, folder: `${folder}/${title} (${year})` })
  }
}

type NewSeason = { show: Item; number: number; episodes: number; folder: string }

function addSeason(catalogue: Catalogue, { show, number, episodes, folder }: NewSeason): void {
  const addedAt = show.addedAt + number * 10 * day
  const { sectionKey } = show
  const title = number === 0 ? 'Specials' : `Season ${number}`
  const season = catalogue.put({
    ...common(catalogue, { kind: 'season', sectionKey, title, addedAt, guid: `${show.guid}/${number}` }),
    parent: show.ratingKey,
    index: number,
  })
  for (let index = 1; index <= episodes; index += 1) {
    const label = `s${String(number).padStart(2, '0')}e${String(index).padStart(2, '0')}`
    const guid = `${show.guid}/${number}/${index}`
    catalogue.put({
      ...common(catalogue, {
        kind: 'episode',
        sectionKey,
        title: `Episode ${index}`,
        addedAt: addedAt + index * 60,
        guid,
      }),
      parent: season.ratingKey,
      index,
      year: (show.year ?? 2000) + number,
      durationMs: 2_640_000,
      originallyAvailableAt: `${(show.year ?? 2000) + number}-04-${String(index).padStart(2, '0')}`,
      summary: `Part ${index} of ${title.toLowerCase()}.`,
      file: `${folder}/Season ${String(number).padStart(2, '0')}/${show.title} - ${label}.mkv`,
      fileSize: 900_000_000 + index,
      resolution: '1080',
      ...(number === 1 && index <= 2 ? { viewCount: 1, lastViewedAt: addedAt + index * day } : {}),
    })
  }
}

type Common = Pick<Item, 'kind' | 'sectionKey' | 'title' | 'addedAt' | 'guid'>

function common(catalogue: Catalogue, given: Common): Item {
  const ratingKey = catalogue.nextKey()
  return { ...given, ratingKey, updatedAt: firstAdded + Number(ratingKey), pictured: true }
}
