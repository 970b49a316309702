import { drizzle } from 'drizzle-orm/d1'

import { createBulkhead } from '#resilience/bulkhead.ts'

import { configOf } from '../config.ts'
import { flag, integer, isRow, rows, text } from '../plex/container.ts'
import { folded, libraryHolding, type Place } from '../plex/location.ts'
import { filesOf, newestType, parseLibraries } from '../plex/parse.ts'
import { plexPath, type PlexContainer, type PlexQuestion } from '../plex/ports.ts'
import type { ScannedPlex } from '../plex/scanning.ts'
import { log } from './logger.ts'
import { createPlexClient } from './plex-client.ts'
import { createPlexUpstream } from './plex-upstream.ts'
import { createUserStore } from './user-store.ts'
import { createVault } from './vault.ts'

const newest = { offset: 0, limit: 100 }

/** PMS as its owner, for work nobody waits for at a screen. */
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

  /** With the token of the first owner whose token PMS takes. */
  const asOwner = async <T>(ask: (token: string) => Promise<T | 'token-refused'>): Promise<T | undefined> => {
    try {
      for (const token of await users.ownerServerTokens()) {
        const answer = await ask(token)
        if (answer !== 'token-refused') return answer
      }
      log('warn', 'background-plex', { cause: 'no signed-in owner whose token Plex takes' })
    } catch (error) {
      log('warn', 'background-plex', { cause: String(error) })
    }
    return undefined
  }
  const read = (question: PlexQuestion) => asOwner<PlexContainer>((token) => client.read(token, question))

  const places = async (): Promise<readonly Place[] | undefined> => {
    const answer = await read({ path: plexPath`/library/sections` })
    if (!answer) return undefined
    const view = { now: Date.now(), paths: true, machineIdentifier: '' }
    return parseLibraries(answer.container, view).map(({ key, type, locations = [] }) => ({
      libraryKey: key,
      type,
      locations,
    }))
  }

  return {
    async refresh(libraryKey, path) {
      const query = path === undefined ? {} : { path }
      const done = await asOwner((token) =>
        client.command(token, 'GET', plexPath`/library/sections/${libraryKey}/refresh`, query),
      )
      return done === 'done'
    },

    async isScanning(libraryKey) {
      const answer = await read({ path: plexPath`/activities` })
      return answer && rows(answer.container['Activity']).some((activity) => isScanOf(activity, libraryKey))
    },

    async libraryHolding(path) {
      const known = await places()
      return known && (libraryHolding(path, known)?.libraryKey ?? 'none')
    },

    async find(libraryKey, files) {
      const library = (await places())?.find((place) => place.libraryKey === libraryKey)
      // Asked without a type, a library of shows lists shows, which have no files.
      const type = library && newestType.get(library.type)
      const answer = await read({
        path: plexPath`/library/sections/${libraryKey}/all`,
        query: { sort: 'addedAt:desc', ...(type && { type }) },
        page: newest,
      })
      const shown = answer ? filesOf(answer.container) : []
      const ratingKeys = new Map(shown.map(({ file, ratingKey }) => [folded(file), ratingKey]))
      return new Map(
        files.flatMap((file) => {
          const ratingKey = ratingKeys.get(folded(file))
          return ratingKey === undefined ? [] : [[file, ratingKey] as const]
        }),
      )
    },
  }
}

function isScanOf(activity: Readonly<Record<string, unknown>>, libraryKey: string): boolean {
  const context = activity['Context']
  const section = isRow(context) ? text(context['librarySectionID']) : undefined
  return text(activity['type']) === 'library.update.section' && section === libraryKey && !isOver(activity)
}

const isOver = (activity: Readonly<Record<string, unknown>>) =>
  flag(activity['ended']) || integer(activity['progress']) === 100
