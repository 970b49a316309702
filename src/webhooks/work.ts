import type { Audience, LiveEvent } from '#contract/live.ts'

import type { Delivery, Kept } from './delivery.ts'
import type { Libraries } from './ports.ts'

/** What a delivery asks for. */
export type Work = {
  readonly refresh?: { readonly libraryKey: string; readonly scan: boolean }
  readonly audience: Audience
  readonly event: LiveEvent
}

type Told = Pick<Delivery, 'source' | 'event' | 'kept'>

const admins: Audience = { kind: 'admins' }

/** The work of a delivery, from what was kept of it; nothing for events that are no concern of ours. */
export function workOf({ source, event, kept }: Told, libraries: Libraries): Work | undefined {
  if (source === 'overseerr') return mediaWork(event, kept, libraries)
  if (source === 'plex') return plexWork(event, kept)
  if (source === 'github') return githubWork(event, kept)
  const name = source.slice('generic:'.length)
  return { audience: admins, event: { event: 'webhook:generic', data: { source: name, event } } }
}

const mediaEvents = new Map([
  ['MEDIA_PENDING', 'media:requested'],
  ['MEDIA_AUTO_REQUESTED', 'media:requested'],
  ['MEDIA_APPROVED', 'media:approved'],
  ['MEDIA_AUTO_APPROVED', 'media:approved'],
  ['MEDIA_AVAILABLE', 'media:available'],
  ['MEDIA_DECLINED', 'media:declined'],
  ['MEDIA_FAILED', 'media:failed'],
] as const)

const mediaTypes = ['movie', 'tv'] as const

function mediaWork(type: string, kept: Kept, libraries: Libraries): Work | undefined {
  const event = [...mediaEvents].find(([name]) => name === type)?.[1]
  const mediaType = mediaTypes.find((type) => type === kept['mediaType'])
  if (!event || !mediaType) return undefined
  const requestId = text(kept, 'requestId')
  const data = { title: text(kept, 'title') ?? 'Untitled', type: mediaType, ...(requestId && { requestId }) }
  if (event !== 'media:available') return { audience: admins, event: { event, data } }

  const libraryKey = mediaType === 'movie' ? libraries.movies : libraries.tv
  return {
    refresh: { libraryKey, scan: true },
    audience: { kind: 'section', libraryKey },
    // Who asked for it is the business of admins and of nobody else who shares the library.
    event: { event, data: { title: data.title, type: mediaType, libraryKey } },
  }
}

const starts = new Set(['media.play', 'media.resume', 'playback.started'])

function plexWork(event: string, kept: Kept): Work | undefined {
  const libraryKey = text(kept, 'libraryKey')
  const title =
    [text(kept, 'grandparentTitle'), text(kept, 'title')].filter(Boolean).join(' – ') || 'Untitled'
  if (event === 'library.new' && libraryKey) {
    const ratingKey = text(kept, 'ratingKey')
    return {
      // The item is there already, so there is nothing to scan for.
      refresh: { libraryKey, scan: false },
      audience: { kind: 'section', libraryKey },
      event: {
        event: 'plex:library:new',
        data: { libraryKey, title, type: text(kept, 'type') ?? 'unknown', ...(ratingKey && { ratingKey }) },
      },
    }
  }
  if (!starts.has(event) && event !== 'media.stop') return undefined
  const user = text(kept, 'user')
  return {
    audience: admins,
    event: {
      event: event === 'media.stop' ? 'plex:playback:stop' : 'plex:playback:start',
      data: { title, ...(user && { user }), ...(libraryKey && { libraryKey }) },
    },
  }
}

function githubWork(event: string, kept: Kept): Work | undefined {
  const repository = text(kept, 'repository')
  const live = repository && githubEvent(event, kept, repository)
  return live ? { audience: admins, event: live } : undefined
}

function githubEvent(event: string, kept: Kept, repository: string): LiveEvent | undefined {
  const [branch, environment, tag] = [text(kept, 'branch'), text(kept, 'environment'), text(kept, 'tag')]
  const commits = kept['commits']
  if (event === 'push' && branch) {
    return {
      event: 'github:push',
      data: { repository, branch, commits: typeof commits === 'number' ? commits : 0 },
    }
  }
  if ((event === 'deployment' || event === 'deployment_status') && environment) {
    const state = text(kept, 'state') ?? text(kept, 'action') ?? 'created'
    return { event: 'github:deployment', data: { repository, environment, state } }
  }
  if (event === 'release' && tag) {
    return { event: 'github:release', data: { repository, tag, action: text(kept, 'action') ?? 'unknown' } }
  }
  return undefined
}

function text(kept: Kept, name: string): string | undefined {
  const value = kept[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
