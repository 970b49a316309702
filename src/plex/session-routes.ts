import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { NoQuery } from './schema.ts'
import { plexProblems } from './problems.ts'
import { SessionsBody } from './session-schema.ts'
import type { Sessions } from './sessions.ts'

const listSessions = operation({
  id: 'listSessions',
  method: 'get',
  path: '/sessions',
  summary: 'What plays now: everything for administrators, for others what they play themselves',
  access: 'user',
  limit: 'plex',
  request: { query: NoQuery },
  responses: { 200: SessionsBody, 304: 'empty' },
  problems: [...plexProblems, 'plex-owner-required'],
})

export const sessions = (list: Sessions): Feature =>
  feature('/plex', (on) => {
    on(listSessions, async ({ c, ...asked }) => cachedResponse(c, await list(asked)))
  })
