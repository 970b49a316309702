import { drizzle } from 'drizzle-orm/d1'

import { createBulkhead } from '#resilience/bulkhead.ts'

import { configOf } from '../config.ts'
import { flag, integer, isRow, rows, text } from '../plex/container.ts'
import { libraryHolding } from '../plex/location.ts'
import { filesOf, parseLibraries } from '../plex/parse.ts'
import { plexPath, type PlexContainer, type PlexQuestion } from '../plex/ports.ts'
import { createPlexUpstream } from './plex-upstream.ts'
import { log } from './logger.ts'
import { createPlexClient } from './plex-client.ts'
import { createUserStore } from './user-store.ts'
import { createVault } from './vault.ts'

/** PMS as its owner, for work nobody waits for at a screen. `undefined`: it cannot be asked at the moment. */
export type BackgroundPlex = {
  refresh(libraryKey: string, path: string | undefined): Promise<boolean>
  isScanning(libraryKey: string): Promise<boolean | undefined>
  libraryHolding(path: string): Promise<string | 'none' | undefined>
  /** Rating keys of those files that PMS shows among the newest of the library. */
  find(libraryKey: string, files: readonly string[]): Promise<ReadonlyMap<string, string>>
}

const newest = { offset: 0, limit: 100 }

export function createBackgroundPlex(env: Env): BackgroundPlex {
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
        if (answer !== 'token-refused') return answer as T
      }
    } catch (error) {
      log('warn', 'background-plex', { cause: String(error) })
    }
    return undefined
  }
  const read = (question: PlexQuestion) => asOwner<PlexContainer>((token) => client.read(token, question))

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
      const answer = await read({ path: plexPath`/library/sections` })
      if (!answer) return undefined
      const view = { now: Date.now(), paths: true, machineIdentifier: '' }
      const places = parseLibraries(answer.container, view).map(({ key, locations = [] }) => ({
        libraryKey: key,
        locations,
      }))
      return libraryHolding(path, places) ?? 'none'
    },

    async find(libraryKey, files) {
      const question = {
        path: plexPath`/library/sections/${libraryKey}/all`,
        query: { sort: 'addedAt:desc' },
        page: newest,
      }
      const answer = await read(question)
      const wanted = new Set(files)
      const found = answer ? filesOf(answer.container).filter(({ file }) => wanted.has(file)) : []
      return new Map(found.map(({ file, ratingKey }) => [file, ratingKey]))
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
