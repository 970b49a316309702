import { createHash } from 'node:crypto'
import { sendJson, startStandIn, type Exchange, type StandIn } from '../stand-in.ts'

export type Segment = {
  readonly category:
    | 'sponsor'
    | 'intro'
    | 'outro'
    | 'selfpromo'
    | 'preview'
    | 'filler'
    | 'interaction'
    | 'music_offtopic'
    | 'hook'
    | 'poi_highlight'
    | 'chapter'
  readonly start: number
  readonly end: number
  /** Of the film it was marked in; 0 when nobody knows. */
  readonly videoDuration?: number
  readonly description?: string
}

export type SponsorBlock = StandIn & {
  readonly mark: (videoId: string, segments: readonly Segment[]) => void
}

const pattern = /^\/api\/skipSegments\/([0-9a-f]{4,32})$/

/**
 * Stands in for the API of SponsorBlock, which is asked by the start of the hash of an id, so that it does not learn
 * what is watched. Faults are those of every stand-in: `delay`, `hang`, `reset`, and `status` with 500.
 */
export async function startSponsorBlock(options: { readonly port?: number } = {}): Promise<SponsorBlock> {
  const marked = new Map<string, readonly Segment[]>()
  const standIn = await startStandIn({
    ...options,
    handle: (exchange) => {
      const prefix = pattern.exec(exchange.path)?.[1]
      const found = prefix === undefined ? [] : answerFor(prefix, marked, exchange)
      if (found.length > 0) return sendJson(exchange.response, 200, found)
      exchange.response.writeHead(404, { 'content-type': 'text/plain' })
      exchange.response.end('Not Found')
    },
  })
  return {
    ...standIn,
    mark: (videoId, segments) => {
      marked.set(videoId, segments)
    },
  }
}

function answerFor(
  prefix: string,
  marked: ReadonlyMap<string, readonly Segment[]>,
  { query }: Exchange,
): unknown[] {
  const categories = asked(query, 'categories') ?? ['sponsor']
  const actions = asked(query, 'actionTypes') ?? ['skip']
  return [...marked]
    .map(([videoID, segments]) => ({ videoID, hash: sha256(videoID), segments }))
    .filter(({ hash }) => hash.startsWith(prefix))
    .map(({ segments, ...video }) => ({
      ...video,
      segments: segments
        .map((segment, index) => ({
          category: segment.category,
          actionType: actionOf(segment),
          segment: [segment.start, segment.end],
          UUID: sha256(`${video.videoID}/${index}`),
          videoDuration: segment.videoDuration ?? 0,
          locked: 0,
          votes: 1,
          description: segment.description ?? '',
        }))
        .filter(({ category, actionType }) => categories.includes(category) && actions.includes(actionType)),
    }))
    .filter(({ segments }) => segments.length > 0)
}

function actionOf({ category }: Segment): string {
  return category === 'chapter' ? 'chapter' : category === 'poi_highlight' ? 'poi' : 'skip'
}

function asked(query: URLSearchParams, name: string): unknown[] | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const list: unknown = JSON.parse(text)
  return Array.isArray(list) ? list : undefined
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
