import { Problem } from '#contract/problem.ts'

import { isContainer, isRow, type Row } from '../plex/container.ts'
import type { PlexCommand, PlexContainer, PlexPath, PlexQuestion } from '../plex/ports.ts'
import { UpstreamError, type Upstream, type UpstreamAnswer } from './upstream.ts'

export type PlexClient = {
  /** Asks with one token. Throws problems; `token-refused` is an answer, since only the caller knows whose token it was. */
  read(token: string, question: PlexQuestion): Promise<PlexContainer | 'token-refused'>
  /** Sends a command, whose answer has no body worth reading. Never repeated. */
  command(
    token: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: PlexPath,
    query?: Readonly<Record<string, string>>,
  ): Promise<'done' | 'token-refused'>
  /** A picture, whatever its format. */
  picture(token: string, question: PlexQuestion): Promise<PlexPicture | 'token-refused'>
  /** Changes something. Never repeated; the container is empty when there is none to read. */
  write(token: string, command: PlexCommand): Promise<Row | 'token-refused'>
}

export type PlexPicture = { readonly body: Uint8Array; readonly contentType: string }

type Options = {
  readonly url: string
  readonly clientIdentifier: string
  readonly upstream: Upstream
}

/** PMS over HTTP. The token travels in a header, never in an address, which would end up in logs. */
export function createPlexClient({ url, clientIdentifier, upstream }: Options): PlexClient {
  const send = async (
    token: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    { path, query, page }: PlexQuestion,
    limits: { readonly maxBytes?: number } = {},
  ) => {
    const parameters = new URLSearchParams(query)
    const headers = {
      Accept: 'application/json',
      'X-Plex-Token': token,
      'X-Plex-Client-Identifier': clientIdentifier,
      'X-Plex-Product': 'MediaNest',
      // Both, or PMS answers the whole library.
      ...(page && {
        'X-Plex-Container-Start': String(page.offset),
        'X-Plex-Container-Size': String(page.limit),
      }),
    }
    try {
      // A plus is a space in forms only; in an address not every server takes it for one.
      const search = parameters.size > 0 ? `?${parameters.toString().replaceAll('+', '%20')}` : ''
      return await upstream.call({ method, url: `${url}${path}${search}`, headers, ...limits })
    } catch (cause) {
      throw plexProblem(cause)
    }
  }

  return {
    async read(token, question) {
      const answer = await send(token, 'GET', question)
      if (answer.status === 401) return 'token-refused'
      if (namesSomething(question.path)) {
        if (answer.status === 404) throw new Problem('not-found')
        // To who asks there is no difference; to what may be remembered there is.
        if (answer.status === 403) throw new Problem('not-found', { cause: 'forbidden' })
      }
      const header = answer.headers.get('x-plex-container-total-size')
      return { container: parseContainer(answer), ...(header && { totalSizeHeader: header }) }
    },

    async command(token, method, path, query) {
      const answer = await send(token, method, { path, ...(query && { query }) })
      if (answer.status === 401 || answer.status === 403) return 'token-refused'
      if (answer.status === 404) throw new Problem('not-found')
      if (answer.status >= 300) throw new Problem('upstream-invalid', { cause: answer.status })
      return 'done'
    },

    async picture(token, question) {
      const answer = await send(token, 'GET', question, { maxBytes: maxPictureBytes })
      if (answer.status === 401) return 'token-refused'
      // PMS has no other words for a picture that is gone, or that this user may not see.
      if ([400, 403, 404].includes(answer.status)) throw new Problem('not-found')
      const { bytes, contentType } = answer
      if (answer.status !== 200 || !pictureType.test(contentType) || bytes.byteLength === 0) {
        throw new Problem('upstream-invalid', { cause: `${answer.status} ${contentType}` })
      }
      return { body: bytes, contentType }
    },

    async write(token, { method, path, query }) {
      const answer = await send(token, method, { path, ...(query && { query }) })
      if (answer.status === 401) return 'token-refused'
      if (answer.status === 403) throw new Problem('forbidden')
      if (answer.status === 404) throw new Problem('not-found')
      if (answer.status === 409) throw new Problem('collection-title-taken')
      if (answer.status >= 300) throw new Problem('upstream-invalid', { cause: answer.status })
      // What is done is often answered with nothing; a page of somebody's is no word of PMS.
      return answer.bytes.length === 0 ? {} : parseContainer(answer)
    },
  }
}

const maxPictureBytes = 5 * 1024 * 1024
/** Pictures that cannot hold a script, as SVG can. */
const pictureType = /^image\/(jpeg|png|webp|gif|avif)$/

/** A path without a key is always there: a 404 under it is no answer of PMS. */
const namesSomething = (path: PlexPath) => /\/\d+(,\d+)*(\/|$)/.test(path)

/** A reverse proxy's sign-in page is a 200 too: only JSON with a container counts as an answer of PMS. */
function parseContainer({ status, contentType, bytes }: UpstreamAnswer): Row {
  if (status !== 200 || contentType !== 'application/json') {
    throw new Problem('upstream-invalid', { cause: `${status} ${contentType}` })
  }
  const container = containerIn(new TextDecoder().decode(bytes))
  if (isContainer(container)) return container
  throw new Problem('upstream-invalid', { cause: 'no MediaContainer' })
}

function containerIn(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json)
    return isRow(value) ? value['MediaContainer'] : undefined
  } catch (cause) {
    throw new Problem('upstream-invalid', { cause })
  }
}

export function isStartupMaintenance({ status, bytes }: UpstreamAnswer): boolean {
  return (
    status === 503 &&
    /<Response[^>]*\btitle="Maintenance"/.test(new TextDecoder().decode(bytes.subarray(0, 1_000)))
  )
}

function plexProblem(error: unknown): unknown {
  if (!(error instanceof UpstreamError)) return error
  const { failure } = error
  const waitMs = 'retryAfterMs' in failure ? (failure.retryAfterMs ?? 0) : 0
  const retryAfter = Math.max(failure.kind === 'busy' ? 1 : 5, Math.ceil(waitMs / 1000))
  if (failure.kind === 'maintenance')
    return new Problem('plex-maintenance', { members: { retryAfter }, cause: error })
  if (failure.kind === 'too-large') return new Problem('upstream-invalid', { cause: error })
  return new Problem('plex-unavailable', { members: { retryAfter }, cause: error })
}
