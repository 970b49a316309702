import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { MovieSection, PlexServer, ShowSection } from '@ctrl/plex'
import { PlexAPI } from '@lukehagar/plexjs'
import { Accepts, BoolInt } from '@lukehagar/plexjs/sdk/models/shared/index.js'
import { expect, test, vi } from 'vitest'
import { startPlex, type Caller } from './plex-caller.ts'

async function connect({ plex }: Caller): Promise<PlexServer> {
  const server = new PlexServer(plex.url, 'owner-token')
  await server.connect()
  return server
}

test('@ctrl/plex connects, lists sections and reads their items', async () => {
  const caller = await startPlex()
  const server = await connect(caller)
  const library = await server.library()
  const sections = await library.sections()
  const movies = await library.section('movies')
  const [first] = await movies.all('year')

  expect(server.machineIdentifier).toBe(caller.plex.machineIdentifier)
  expect(sections.map(({ title }) => title)).toEqual(['Movies', 'TV Shows', 'YouTube'])
  expect(await movies.all()).toHaveLength(40)
  expect(first).toMatchObject({ title: 'A Trip to the Moon', year: 1902 })
  expect(await movies.get('300')).toMatchObject({ title: '300' })
  expect(await movies.genres()).toContainEqual(expect.objectContaining({ title: 'Horror' }))
  expect(await movies.hubs()).toHaveLength(1)
})

test('@ctrl/plex follows a show down to its episodes, and a movie to its file', async () => {
  const caller = await startPlex()
  const library = await (await connect(caller)).library()
  const shows = await library.section('TV Shows')
  if (!(shows instanceof ShowSection)) throw new Error('not a section of shows')
  const [show] = await shows.search({ title: 'Lighthouse' })
  const seasons = (await show?.seasons()) ?? []
  const movies = await library.section('Movies')
  if (!(movies instanceof MovieSection)) throw new Error('not a section of movies')
  const [movie] = await movies.search({ title: 'Metropolis' })

  expect(seasons.map(({ title }) => title)).toEqual(['Season 1', 'Season 2'])
  expect(await seasons[0]?.episodes()).toHaveLength(8)
  expect(await show?.episodes()).toHaveLength(14)
  expect(await shows.recentlyAdded({}, 'episode', 5)).not.toHaveLength(0)
  await movie?.reload()
  expect(await movie?.locations()).toEqual(['/media/movies/Metropolis (1927)/Metropolis (1927).mkv'])
  expect(movie?.librarySectionID).toBe(1)
})

test('@ctrl/plex searches and reads collections', async () => {
  const caller = await startPlex()
  const server = await connect(caller)
  const hubs = await server.search('metropolis', undefined, 5)
  const movies = await (await server.library()).section('Movies')
  const collections = await movies.collections()

  expect(hubs).toHaveLength(17)
  expect(hubs.find(({ type }) => type === 'movie')?.Metadata).toMatchObject([{ title: 'Metropolis' }])
  expect(collections).toMatchObject([{ title: 'Animation Night', childCount: 8 }])
  expect(await collections[0]?.items()).toHaveLength(8)
})

test('@ctrl/plex starts a scan and cancels one', async () => {
  const caller = await startPlex()
  const youtube = await (await (await connect(caller)).library()).section('YouTube')
  await writeFile(path.join(caller.folder, 'clip.mp4'), 'video')
  await youtube.update()
  await caller.plex.scansFinished()
  expect(await youtube.all()).toMatchObject([{ title: 'clip' }])
  await youtube.refresh()
  await youtube.cancelUpdate()
  await caller.plex.scansFinished()
  expect(caller.plex.state().scans.at(-1)).toMatchObject({ force: true, outcome: 'cancelled' })
})

function api({ plex }: Caller): PlexAPI {
  return new PlexAPI({
    serverURL: plex.url,
    token: 'owner-token',
    accepts: Accepts.ApplicationJson,
    clientIdentifier: 'tests',
  })
}

test('@lukehagar/plexjs reads the server, its sections and their items', async () => {
  const caller = await startPlex()
  const client = api(caller)
  const identity = await client.general.getIdentity()
  await client.general.getServerInfo({})
  const sections = await client.library.getSections()
  const content = await client.content.listContent({ sectionId: '1' })
  const item = await client.content.getMetadataItem({ ids: ['3', '5'] })
  await client.library.getLibraryDetails({ sectionId: '1' })

  expect(identity.object?.mediaContainer?.machineIdentifier).toBe(caller.plex.machineIdentifier)
  expect(sections.object?.mediaContainer?.directory?.map(({ title }) => title)).toEqual([
    'Movies',
    'TV Shows',
    'YouTube',
  ])
  expect(content.mediaContainerWithMetadata?.mediaContainer?.metadata).toHaveLength(40)
  expect(item.mediaContainerWithMetadata?.mediaContainer?.metadata?.map(({ title }) => title)).toEqual([
    'The Kid',
    'Häxan',
  ])
})

test('@lukehagar/plexjs searches, and sees sessions and activities', async () => {
  const client = api(await startPlex())
  const found = await client.search.searchHubs({ query: 'metropolis', limit: 5 })
  const sessions = await client.status.listSessions()
  const activities = await client.activities.listActivities()

  const movies = found.object?.mediaContainer?.hub?.find(({ type }) => type === 'movie')
  expect(movies?.metadata?.map(({ title }) => title)).toEqual(['Metropolis'])
  expect(sessions.statusCode).toBe(200)
  expect(activities.object?.mediaContainer?.activity ?? []).toEqual([])
})

test('@lukehagar/plexjs makes, fills and empties a collection', async () => {
  const caller = await startPlex()
  const client = api(caller)
  const root = `server://${caller.plex.machineIdentifier}/com.plexapp.plugins.library/library/metadata`
  const made = await client.collections.createCollection({
    sectionId: '1',
    title: 'Made',
    smart: false,
    type: 1,
    uri: `${root}/1,2`,
  })
  const key = Number(made.mediaContainerWithMetadata?.mediaContainer?.metadata?.[0]?.ratingKey)
  await client.libraryCollections.addCollectionItems({ collectionId: key, uri: `${root}/3` })
  await client.libraryCollections.deleteCollectionItem({ collectionId: key, itemId: 1 })
  const items = await client.content.getCollectionItems({ collectionId: key })
  const all = await client.library.getCollections({ sectionId: 1 })

  expect(
    items.mediaContainerWithMetadata?.mediaContainer?.metadata?.map(({ ratingKey }) => ratingKey),
  ).toEqual(['2', '3'])
  expect(all.mediaContainerWithMetadata?.mediaContainer?.metadata).toHaveLength(2)
})

test('@lukehagar/plexjs starts a scan of a folder and fetches a picture', async () => {
  const caller = await startPlex()
  const client = api(caller)
  await writeFile(path.join(caller.folder, 'clip.mp4'), 'video')
  const scan = await client.library.refreshSection({ sectionId: 3, path: caller.folder, force: BoolInt.Zero })
  expect(scan.statusCode).toBe(200)
  await vi.waitFor(() => expect(caller.plex.state().items[3]).toBe(1))
  const picture = await client.transcoder.transcodeImage({
    url: '/library/metadata/3/thumb/1',
    width: 64,
    height: 96,
  })
  expect(picture.contentType).toBe('image/jpeg')
})

test('@lukehagar/plexjs is refused with a wrong token', async () => {
  const caller = await startPlex()
  const client = new PlexAPI({ serverURL: caller.plex.url, token: 'wrong' })
  await expect(client.library.getSections()).rejects.toMatchObject({ statusCode: 401 })
})
