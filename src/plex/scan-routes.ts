import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { RefreshBody, RefreshLibrary } from './scan-schema.ts'
import type { Scans } from './scans.ts'
import { LibraryParam } from './schema.ts'

const refreshLibrary = operation({
  id: 'refreshLibrary',
  method: 'post',
  path: '/libraries/:key/refresh',
  summary: 'Have Plex look for new files',
  access: 'admin',
  limit: 'plex',
  request: { param: LibraryParam, json: RefreshLibrary },
  responses: { 202: RefreshBody },
  problems: [
    'plex-unavailable',
    'plex-maintenance',
    'upstream-invalid',
    'plex-sign-in-required',
    'not-a-member',
    'not-found',
  ],
})

export const scans = (service: Scans): Feature =>
  feature('/plex', (on) => {
    on(refreshLibrary, async ({ c, param, json, caller }) =>
      c.json({ data: await service.refresh(caller, param.key, json.path) }, 202),
    )
  })
