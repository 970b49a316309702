import path from 'node:path'
import { startStandIn, type Exchange, type StandIn } from '../stand-in.ts'
import { viewerOf, type PlexAccess } from './access.ts'
import { sendError, sendMaintenance } from './answers.ts'
import { Catalogue, type Section } from './catalogue.ts'
import { CollectionStore } from './collection-store.ts'
import { collectionRoutes } from './collections.ts'
import { controlOperations } from './control.ts'
import { createControls, type PlexControls } from './controls.ts'
import { generalRoutes, sendIdentity } from './general.ts'
import { metadataRoutes } from './metadata.ts'
import { addFillerMovies, addMovies, firstAdded } from './movie-data.ts'
import { photoRoutes } from './photo.ts'
import { refreshRoutes } from './refresh.ts'
import { Scanner } from './scanner.ts'
import { searchRoutes } from './search.ts'
import { sectionRoutes } from './sections.ts'
import { sessionRoutes } from './sessions.ts'
import { addFillerShows, addShows } from './show-data.ts'
import { createWebhooks } from './webhooks.ts'
import type { World } from './world.ts'

export type PlexStandInOptions = {
  readonly machineIdentifier?: string
  readonly friendlyName?: string
  /** The folder on disk that the YouTube library reads. */
  readonly youtubeFolder: string
  /** Asked at each request, so that grants can come and go. */
  readonly access: () => readonly PlexAccess[] | Promise<readonly PlexAccess[]>
  readonly port?: number
  readonly scanMs?: number
  /** Extra made-up items in the movies and in the shows library. */
  readonly itemsPerLibrary?: number
  /** The most rows a page has, whatever is asked for. */
  readonly pageCap?: number
  readonly now?: () => number
}

export type PlexStandIn = StandIn &
  PlexControls & {
    readonly machineIdentifier: string
    readonly sections: readonly Pick<Section, 'key' | 'title' | 'type'>[]
  }

const movies = '1'
const shows = '2'
const youtube = '3'

// A longer request line is refused, as by servers with common limits.
const longestUrl = 8192

const routes = [
  ...generalRoutes,
  ...sectionRoutes,
  ...collectionRoutes,
  ...metadataRoutes,
  ...searchRoutes,
  ...refreshRoutes,
  ...sessionRoutes,
  ...photoRoutes,
]

/** Starts a Plex Media Server with a movie, a show and a YouTube library. */
export async function startPlexStandIn(options: PlexStandInOptions): Promise<PlexStandIn> {
  const world = createWorld(options)
  const controls = createControls(world, movies)
  await world.scanner.prime()
  const standIn = await startStandIn({
    handle: (exchange) => serve(world, options, exchange),
    control: controlOperations(controls),
    ...(options.port === undefined ? {} : { port: options.port }),
  })
  return {
    ...standIn,
    ...controls,
    machineIdentifier: world.machineIdentifier,
    sections: world.catalogue.sections.map(({ key, title, type }) => ({ key, title, type })),
    close: async () => {
      for (const { key } of world.catalogue.sections) world.scanner.cancel(key)
      world.webhooks.stop()
      await world.scanner.idle()
      await standIn.close()
    },
  }
}

async function serve(world: World, options: PlexStandInOptions, exchange: Exchange): Promise<void> {
  if (world.maintenance) return sendMaintenance(exchange)
  if ((exchange.request.url?.length ?? 0) > longestUrl) return sendError(exchange, 400)
  const asked = exchange.path.length > 1 ? exchange.path.replace(/\/+$/, '') : exchange.path
  if (asked === '/identity') return sendIdentity(exchange, world)
  const viewer = viewerOf(exchange, await options.access())
  if (!viewer) return sendError(exchange, 401)
  for (const route of routes) {
    const found = route.method === exchange.method ? route.pattern.exec(asked) : null
    if (!found) continue
    if (route.ownerOnly && !viewer.owner) return sendError(exchange, 401)
    const params = found.slice(1).map((part) => decodeURIComponent(part))
    return route.handle({ exchange, query: exchange.query, viewer, world, params })
  }
  sendError(exchange, 404)
}

function createWorld(options: PlexStandInOptions): World {
  const now = options.now ?? Date.now
  const machineIdentifier = options.machineIdentifier ?? '5f0c1d7a9b3e4c62a8d4f1b0e7c93a5d2b6e8f41'
  const friendlyName = options.friendlyName ?? 'Harbour House'
  const catalogue = new Catalogue(sectionsFor(path.resolve(options.youtubeFolder)))
  fill(catalogue, options.itemsPerLibrary ?? 0)
  const collections = new CollectionStore(catalogue, now)
  const open = catalogue.list(movies, 'movie').filter(({ genres }) => genres?.includes('Animation'))
  const itemKeys = open.map(({ ratingKey }) => ratingKey)
  collections.create({ sectionKey: movies, title: 'Animation Night', subtype: 'movie', itemKeys })
  const webhooks = createWebhooks({ catalogue, machineIdentifier, friendlyName })
  const scanner = new Scanner({
    catalogue,
    filesSection: youtube,
    scanMs: options.scanMs ?? 300,
    now,
    onAdded: (items) => {
      for (const item of items) void webhooks.send('library.new', item)
    },
    onRemoved: (ratingKey) => collections.forget(ratingKey),
  })
  return {
    machineIdentifier,
    friendlyName,
    catalogue,
    collections,
    scanner,
    webhooks,
    now,
    filesSection: youtube,
    pageCap: options.pageCap ?? Number.POSITIVE_INFINITY,
    fetchedAddresses: [],
    sessions: [],
    maintenance: false,
  }
}

function fill(catalogue: Catalogue, filler: number): void {
  addMovies(catalogue, movies, '/media/movies')
  addShows(catalogue, shows, '/media/tv')
  addFillerMovies(catalogue, movies, '/media/movies', filler)
  addFillerShows(catalogue, shows, '/media/tv', filler)
}

function sectionsFor(youtubeFolder: string): readonly Section[] {
  const times = { createdAt: firstAdded, updatedAt: firstAdded, scannedAt: firstAdded, contentChangedAt: 100 }
  const section = (key: string, rest: Omit<Section, 'key' | 'uuid' | keyof typeof times>): Section => ({
    key,
    uuid: `8f2d3c1a-0000-4000-8000-00000000000${key}`,
    ...rest,
    ...times,
  })
  const at = (id: number, folder: string) => [{ id, path: folder }]
  return [
    section(movies, {
      type: 'movie',
      title: 'Movies',
      agent: 'tv.plex.agents.movie',
      scanner: 'Plex Movie',
      locations: at(1, '/media/movies'),
    }),
    section(shows, {
      type: 'show',
      title: 'TV Shows',
      agent: 'tv.plex.agents.series',
      scanner: 'Plex TV Series',
      locations: at(2, '/media/tv'),
    }),
    section(youtube, {
      type: 'movie',
      title: 'YouTube',
      agent: 'com.plexapp.agents.none',
      scanner: 'Plex Video Files Scanner',
      locations: at(3, youtubeFolder),
    }),
  ]
}
