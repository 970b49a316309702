import type * as z from 'zod'

import { momentaryResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { QueuedBody, RefreshLibrary, ScanBody, ScanParam, ScanPath, ScansBody } from './scan-schema.ts'
import type { Scans } from './scans.ts'
import { LibraryParam } from './schema.ts'

const refreshLibrary = operation({
  id: 'refreshLibrary',
  method: 'post',
  path: '/libraries/:key/refresh',
  summary: 'Have Plex look for new files in a library, or in a folder of it',
  access: 'admin',
  limit: 'plex',
  request: { param: LibraryParam, json: RefreshLibrary },
  responses: { 202: QueuedBody },
  problems: ['not-found', 'plex-unavailable'],
})

// Without a limit: scripts ask for each file that lands, and however often they do, Plex is asked once.
const scanPath = operation({
  id: 'scanPath',
  method: 'post',
  path: '/scan',
  summary: 'Have Plex look for new files in a folder, whichever library holds it',
  access: 'admin',
  request: { json: ScanPath },
  responses: { 202: QueuedBody },
})

const listScans = operation({
  id: 'listScans',
  method: 'get',
  path: '/scans',
  summary: 'Scans that run, that wait, and how the last ones ended',
  access: 'admin',
  responses: { 200: ScansBody, 304: 'empty' },
})

const readScan = operation({
  id: 'readScan',
  method: 'get',
  path: '/scans/:id',
  summary: 'What has become of a scan',
  access: 'admin',
  request: { param: ScanParam },
  responses: { 200: ScanBody, 304: 'empty' },
  problems: ['not-found'],
})

export const scans = (service: Scans): Feature =>
  feature('/plex', (on) => {
    on(refreshLibrary, async ({ c, param, json, caller }) =>
      c.json({ data: await service.refresh(caller, param.key, json) }, 202),
    )
    on(scanPath, async ({ c, json, caller }) => c.json({ data: await service.scan(caller, json.path) }, 202))
    on(listScans, async ({ c }) => {
      const data = [...(await service.list())]
      return momentaryResponse(c, { data, meta: { count: data.length } } satisfies z.input<typeof ScansBody>)
    })
    on(readScan, async ({ c, param }) =>
      momentaryResponse(c, { data: await service.read(param.id) } satisfies z.input<typeof ScanBody>),
    )
  })
