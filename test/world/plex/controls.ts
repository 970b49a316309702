import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Collection } from './collection-store.ts'
import { movie } from './movie-data.ts'
import type { ScanRecord } from './scanner.ts'
import { PlexSession } from './sessions.ts'
import type { World } from './world.ts'
import type * as z from 'zod'

export type NewMovie = {
  readonly title: string
  /** The movies library unless it says otherwise. */
  readonly sectionKey?: string
  readonly year?: number
  readonly summary?: string
  readonly genres?: readonly string[]
  readonly addedAt?: number
  readonly file?: string
}

export type PlexState = {
  readonly scans: readonly ScanRecord[]
  readonly scanning: readonly string[]
  readonly items: Readonly<Record<string, number>>
  readonly collections: readonly Pick<Collection, 'ratingKey' | 'sectionKey' | 'title' | 'itemKeys'>[]
  readonly fetchedAddresses: readonly string[]
  readonly maintenance: boolean
}

export type PlexControls = ReturnType<typeof createControls>

/** What tests and people may do to the server from outside of its API. */
export function createControls(world: World, moviesSection: string) {
  const { catalogue, collections, scanner, webhooks } = world
  return {
    addMovie: ({ title, sectionKey = moviesSection, year = 2024, ...rest }: NewMovie): string => {
      const folder = catalogue.section(sectionKey)?.locations[0]?.path
      if (folder === undefined) throw new Error(`no section ${sectionKey}`)
      const addedAt = Math.floor(world.now() / 1000)
      return catalogue.put({ ...movie(catalogue, { title, sectionKey, folder, year, addedAt }), ...rest })
        .ratingKey
    },
    removeItem: (ratingKey: string): boolean => {
      collections.forget(ratingKey)
      return catalogue.remove(ratingKey)
    },
    setMaintenance: (on: boolean) => {
      world.maintenance = on
    },
    setSessions: (sessions: readonly z.input<typeof PlexSession>[]) => {
      world.sessions = sessions.map((session) => PlexSession.parse(session))
    },
    webhookUrls: () => webhooks.urls(),
    setWebhookUrls: (urls: readonly string[]) => webhooks.setUrls(urls),
    sendWebhook: (event: string, ratingKey?: string): Promise<number[]> =>
      webhooks.send(event, ratingKey === undefined ? undefined : catalogue.item(ratingKey)),
    scan: (sectionKey: string, path?: string) => {
      scanner.request(sectionKey, path === undefined ? {} : { path })
      return scanner.idle()
    },
    scansFinished: () => scanner.idle(),
    /** Puts a media file into the folder that is read from disk; a scan will find it. Answers its whole path. */
    putFile: async (name: string): Promise<string> => {
      const file = inFolder(world, name)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, 'a film, as far as a scan can tell')
      return file
    },
    removeFile: (name: string) => rm(inFolder(world, name), { force: true }),
    state: () => stateOf(world),
  }
}

function inFolder({ catalogue, filesSection }: World, name: string): string {
  const folder = catalogue.section(filesSection)?.locations[0]?.path ?? ''
  const file = path.resolve(folder, name)
  if (!file.startsWith(folder + path.sep)) throw new Error(`${name} is outside of the folder`)
  return file
}

function stateOf({ catalogue, collections, scanner, fetchedAddresses, maintenance }: World): PlexState {
  return {
    scans: scanner.records(),
    scanning: catalogue.sections.flatMap(({ key }) => (scanner.isScanning(key) ? [key] : [])),
    items: Object.fromEntries(
      catalogue.sections.map(({ key, type }) => [key, catalogue.list(key, type).length]),
    ),
    collections: collections
      .all()
      .map(({ ratingKey, sectionKey, title, itemKeys }) => ({ ratingKey, sectionKey, title, itemKeys })),
    fetchedAddresses,
    maintenance,
  }
}
