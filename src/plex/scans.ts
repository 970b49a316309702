import { Problem } from '#contract/problem.ts'

import type { Caller } from '../http/env.ts'
import { holds, isMedia, libraryHolding, mapped, scanFolder, type PathRule, type Place } from './location.ts'
import type { Audit } from './ports.ts'
import { findScan, listScans, type KnownScans } from './scan-list.ts'
import type { ScanRequest } from './scan.ts'

export type Scans = ReturnType<typeof createScans>

/** The object that scans for everybody. */
type ScanServer = {
  /** `undefined`: Plex does not say. */
  places(): Promise<readonly Place[] | undefined>
  requestScan(request: ScanRequest): Promise<string>
  scans(): Promise<KnownScans>
}

type Dependencies = {
  readonly server: () => ScanServer
  readonly audit: Audit
  readonly pathRules: readonly PathRule[]
}

type Refresh = {
  readonly path?: string | undefined
  readonly force?: boolean | undefined
  readonly confirm?: string | undefined
}

/**
 * Scans, as administrators ask for them. What Plex cannot confirm now is taken all the same: a scan waits for a Plex
 * that is away, and its outcome tells when there was nothing to scan.
 */
export function createScans({ server, audit, pathRules }: Dependencies) {
  const ask = async (
    caller: Caller,
    action: string,
    request: Omit<ScanRequest, 'requester'>,
    file?: string,
  ) => {
    const { libraryKey, path } = request
    const requester = { kind: 'user' as const, userId: caller.userId, ...(file !== undefined && { file }) }
    const scanId = await server().requestScan({ ...request, requester })
    await audit({ actor: caller.userId, action, target: path ?? libraryKey ?? '' })
    return {
      scanId,
      ...(libraryKey !== undefined && { libraryKey }),
      ...(path !== undefined && { path }),
      state: 'queued' as const,
    }
  }

  return {
    /** Scans a library, or a folder in it; of a file it is the folder. */
    async refresh(caller: Caller, libraryKey: string, { path: asked, force = false, confirm }: Refresh) {
      const path = asked === undefined ? undefined : scanFolder(asked)
      const places = await server().places()
      const place = places?.find((place) => place.libraryKey === libraryKey)
      if (places && !place) throw new Problem('not-found')
      if (place && path !== undefined && !place.locations.some((location) => holds(location, path))) {
        throw invalid('path', 'must be a folder inside this library')
      }
      if (force && !place) throw new Problem('plex-unavailable', { members: { retryAfter: 5 } })
      if (force && place?.title.normalize() !== confirm?.normalize()) {
        throw invalid('confirm', 'must be the title of the library')
      }
      const request = { libraryKey, ...(path !== undefined && { path }), ...(force && { force }) }
      return ask(caller, force ? 'plex.refresh-all' : 'plex.refresh', request, mediaIn(asked))
    },

    /** Scans a folder in the library that holds it, or the folder of a file, which is then looked for. */
    async scan(caller: Caller, asked: string) {
      const path = mapped(scanFolder(asked), pathRules)
      const file = mediaIn(asked)
      const places = await server().places()
      const place = places && libraryHolding(path, places)
      if (places && !place) throw invalid('path', 'must be inside a library')
      const request = { ...(place && { libraryKey: place.libraryKey }), path }
      return ask(caller, 'plex.scan', request, file && mapped(file, pathRules))
    },

    list: async () => listScans(await server().scans()),

    async read(id: string) {
      const scan = findScan(await server().scans(), id)
      if (!scan) throw new Problem('not-found')
      return scan
    },
  }
}

const mediaIn = (path: string | undefined) => (path !== undefined && isMedia(path) ? path : undefined)

const invalid = (member: string, detail: string) =>
  new Problem('invalid-request', { members: { errors: [{ pointer: `json#/${member}`, detail }] } })
