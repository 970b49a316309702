import { decimal, integer, isRow, text, type Row } from './container.ts'
import { parseItem, present, type View } from './parse.ts'
import { RatingKey } from './schema.ts'
import type { PlaySession } from './session-schema.ts'

const rowIn = (value: unknown): Row => (isRow(value) ? value : {})

const states = ['playing', 'paused', 'buffering'] as const

/** What somebody plays at the moment; nobody's address is read. */
export function parseSession(row: Row, view: View): PlaySession | undefined {
  const user = rowIn(row['User'])
  const userId = text(user['id'])
  const id = text(row['sessionKey']) ?? text(rowIn(row['Session'])['id'])
  if (userId === undefined || id === undefined) return undefined
  const player = rowIn(row['Player'])
  const connection = rowIn(row['Session'])
  const state = states.find((known) => known === text(player['state']))
  const positionMs = nonNegative(integer(row['viewOffset']))
  const durationMs = integer(row['duration'])
  return present({
    id,
    user: present({ id: userId, name: text(user['title']) }),
    item: itemOf(row, view),
    state: state ?? ('unknown' as const),
    positionMs,
    progressPercent: share(positionMs, durationMs),
    player: present({
      name: text(player['title']),
      product: text(player['product']),
      platform: text(player['platform']),
    }),
    network: networkOf(text(connection['location'])),
    bandwidthKbps: nonNegative(integer(connection['bandwidth'])),
    transcoding: transcodingOf(row['TranscodeSession']),
  })
}

/** As the owner sees it, less what only says how far the owner is. */
function itemOf(row: Row, view: View): PlaySession['item'] | undefined {
  const item = parseItem(row, view)
  if (!item || !RatingKey.safeParse(item.ratingKey).success) return undefined
  const { viewCount: _times, viewOffsetMs: _position, lastViewedAt: _last, ...rest } = item
  return rest
}

function networkOf(location: string | undefined): 'local' | 'remote' | undefined {
  if (location === 'lan') return 'local'
  return location === undefined ? undefined : 'remote'
}

function transcodingOf(value: unknown): PlaySession['transcoding'] | undefined {
  if (!isRow(value)) return undefined
  return present({
    video: text(value['videoDecision']),
    audio: text(value['audioDecision']),
    speed: decimal(value['speed']),
    progressPercent: decimal(value['progress']),
  })
}

const nonNegative = (value: number | undefined) => (value !== undefined && value >= 0 ? value : undefined)

function share(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined || whole <= 0) return undefined
  return Math.min(100, Math.round((1_000 * part) / whole) / 10)
}
