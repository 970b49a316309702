import { drizzle } from 'drizzle-orm/d1'

import { Problem } from '#contract/problem.ts'
import { createBulkhead } from '#resilience/bulkhead.ts'

import { configOf } from '../config.ts'
import { flag, integer, isRow, rows, text, type Row } from '../plex/container.ts'
import type { Place } from '../plex/location.ts'
import { filesOf, newestType, parseLibraries } from '../plex/parse.ts'
import { plexPath, type PlexQuestion } from '../plex/ports.ts'
import type { ShownFile } from '../plex/scan-verdict.ts'
import type { ScannedPlex } from '../plex/scanning.ts'
import { log } from './logger.ts'
import { createOwnerPlex } from './owner-plex.ts'
import { createPlexClient } from './plex-client.ts'
import { createPlexUpstream } from './plex-upstream.ts'
import { createUserStore } from './user-store.ts'
import { createVault } from './vault.ts'

const pageSize = 100

/** PMS as its owner, for work nobody waits for at a screen: what fails is logged, and tried again another time. */
export function createBackgroundPlex(env: Env): ScannedPlex {
  const config = configOf(env)
  const users = createUserStore(drizzle(env.DB), createVault(config.vaultKeys))
  const lapse = { holdMs: config.plex.deadlineMs, now: Date.now }
  const upstream = createPlexUpstream(env, createBulkhead(config.bulkhead, lapse))
  const client = createPlexClient({
    url: config.plex.url,
    clientIdentifier: config.plexTv.clientIdentifier,
    upstream,
  })
  const owner = createOwnerPlex(client, () => users.ownerServerTokens())

  const attempted = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask()
    } catch (error) {
      log('warn', 'background-plex', { what, cause: error instanceof Problem ? error.code : String(error) })
      return undefined
    }
  }
  const read = (what: string, question: PlexQuestion) => attempted(what, () => owner.read(question))

  const places = async (): Promise<readonly Place[] | undefined> => {
    const answer = await read('places', { path: plexPath`/library/sections` })
    if (!answer) return undefined
    const view = { now: Date.now(), paths: true, machineIdentifier: '' }
    return parseLibraries(answer.container, view).map(({ key, type, title, locations = [] }) => ({
      libraryKey: key,
      type,
      title,
      locations,
    }))
  }

  return {
    places,

    async refresh(libraryKey, path, force) {
      const query = { ...(path !== undefined && { path }), ...(force && { force: '1' }) }
      const command = (token: string) =>
        client.command(token, 'GET', plexPath`/library/sections/${libraryKey}/refresh`, query)
      const told = await attempted('refresh', () => owner.ask(command).catch(goneIfNotFound))
      return told === 'gone' ? 'gone' : told === 'done' ? 'done' : 'unavailable'
    },

    async activities() {
      const answer = await read('activities', { path: plexPath`/activities` })
      return answer && new Map(rows(answer.container['Activity']).flatMap(scanIn))
    },

    async shown(libraryKey, count) {
      const library = (await places())?.find((place) => place.libraryKey === libraryKey)
      // Asked without a type, a library of shows lists shows, which have no files.
      const type = library && newestType.get(library.type)
      const files: ShownFile[] = []
      for (let offset = 0; offset < count; offset += pageSize) {
        const answer = await read('shown', {
          path: plexPath`/library/sections/${libraryKey}/all`,
          query: { sort: 'addedAt:desc', ...(type && { type }) },
          page: { offset, limit: pageSize },
        })
        if (!answer) break
        files.push(...filesOf(answer.container))
        if (rows(answer.container['Metadata']).length < pageSize) break
      }
      return files
    },
  }
}

function goneIfNotFound(error: unknown): 'gone' {
  if (error instanceof Problem && error.code === 'not-found') return 'gone'
  throw error
}

/** The library a scan runs in, with its progress: less than nothing where PMS does not know it yet. */
function scanIn(activity: Row): readonly (readonly [string, number | undefined])[] {
  const context = activity['Context']
  const libraryKey = isRow(context) ? text(context['librarySectionID']) : undefined
  const progress = integer(activity['progress'])
  const isOver = flag(activity['ended']) || progress === 100
  if (text(activity['type']) !== 'library.update.section' || libraryKey === undefined || isOver) return []
  const isKnown = progress !== undefined && progress >= 0 && progress <= 100
  return [[libraryKey, isKnown ? progress : undefined]]
}
