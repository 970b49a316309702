import * as z from 'zod'
import { sendContainer } from './answers.ts'
import type { Item } from './catalogue.ts'
import { isList, rows, type Row } from './row.ts'
import { rowFor, type Call, type Route } from './world.ts'

/** Somebody who watches something, as tests and people state it. */
export const PlexSession = z.strictObject({
  ratingKey: z.string(),
  user: z.strictObject({ id: z.string(), title: z.string() }),
  player: z.string().default('Living Room'),
  address: z.string().default('192.168.1.23'),
  state: z.enum(['playing', 'paused', 'buffering']).default('playing'),
  viewOffset: z.int().nonnegative().default(60_000),
  location: z.enum(['lan', 'wan']).default('lan'),
  transcoding: z.boolean().default(false),
})
export type PlexSession = z.output<typeof PlexSession>

export const sessionRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/status\/sessions$/, ownerOnly: true, handle: showSessions },
  { method: 'GET', pattern: /^\/status\/sessions\/history\/all$/, ownerOnly: true, handle: showNothing },
  { method: 'GET', pattern: /^\/clients$/, handle: showNothing },
]

function showNothing({ exchange }: Call): void {
  sendContainer(exchange, { size: 0 })
}

function showSessions(call: Call): void {
  const list = call.world.sessions.flatMap((session, index) => {
    const item = call.world.catalogue.item(session.ratingKey)
    return item ? [sessionRow(call, { session, item, index })] : []
  })
  sendContainer(call.exchange, { size: list.length, ...rows('Metadata', list) })
}

function sessionRow(
  call: Call,
  { session, item, index }: { session: PlexSession; item: Item; index: number },
): Row {
  const row = rowFor(call, item, { detail: true })
  const id = `session-${index + 1}`
  return {
    ...row,
    sessionKey: String(index + 1),
    viewOffset: session.viewOffset,
    ...rows('Media', quotedIds(row['Media'])),
    User: {
      id: session.user.id,
      thumb: `https://plex.tv/users/${session.user.id}/avatar`,
      title: session.user.title,
    },
    Player: {
      address: session.address,
      machineIdentifier: `player-${index + 1}`,
      platform: 'Android',
      product: 'Plex for Android (TV)',
      state: session.state,
      title: session.player,
      local: session.location === 'lan',
      relayed: false,
      secure: true,
      userID: Number(session.user.id),
    },
    Session: { id, bandwidth: 8000, location: session.location },
    ...(session.transcoding ? { TranscodeSession: transcode(id) } : {}),
  }
}

/** Here, unlike in the library, the numbers of media and parts are strings. */
function quotedIds(list: Row[string]): readonly Row[] {
  if (list === undefined || typeof list !== 'object' || !isList(list)) return []
  return list.map((media) => ({
    ...media,
    id: String(media['id']),
    ...rows('Part', quotedIds(media['Part'])),
  }))
}

function transcode(id: string): Row {
  return {
    key: `/transcode/sessions/${id}`,
    throttled: false,
    complete: false,
    progress: 12.5,
    speed: 4.2,
    videoDecision: 'transcode',
    audioDecision: 'copy',
  }
}
