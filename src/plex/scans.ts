import { Problem } from '#contract/problem.ts'

import type { Caller } from '../http/env.ts'
import { holds, scanFolder } from './location.ts'
import { parseLibraries } from './parse.ts'
import { plexPath, type Audit, type PlexReader } from './ports.ts'

export type Scans = ReturnType<typeof createScans>

type Dependencies = {
  readonly reader: PlexReader
  readonly scans: {
    request(scan: {
      readonly libraryKey: string
      readonly path?: string
      readonly userId: string
    }): Promise<void>
  }
  readonly audit: Audit
  readonly machineIdentifier: string
  readonly now: () => number
}

export function createScans({ reader, scans, audit, now, machineIdentifier }: Dependencies) {
  return {
    /**
     * Asks for a scan; many requests for one folder become one. The path must lie inside the library; of a file it is
     * the folder that is scanned. Answers what will be.
     */
    async refresh(caller: Caller, libraryKey: string, asked: string | undefined) {
      const path = asked === undefined ? undefined : scanFolder(asked)
      const { container } = await reader.read(caller.userId, { path: plexPath`/library/sections` })
      const libraries = parseLibraries(container, { now: now(), paths: true, machineIdentifier })
      const library = libraries.find(({ key }) => key === libraryKey)
      if (!library) throw new Problem('not-found')
      if (path !== undefined && !library.locations?.some((location) => holds(location, path))) {
        throw new Problem('invalid-request', {
          members: { errors: [{ pointer: 'json#/path', detail: 'must be a folder inside this library' }] },
        })
      }
      const scan = { libraryKey, ...(path !== undefined && { path }) }
      await scans.request({ ...scan, userId: caller.userId })
      await audit({ actor: caller.userId, action: 'plex.refresh', target: libraryKey })
      return { ...scan, state: 'queued' as const }
    },
  }
}
