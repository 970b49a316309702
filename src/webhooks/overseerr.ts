import * as z from 'zod'

import { decodeText, malformed, readJson } from './body.ts'
import { Digits, keep, Line, part } from './fields.ts'
import { fromBase64 } from './proof.ts'
import { mebibyte, minuteMs, type Attempt, type Notice, type Sender } from './sender.ts'
import { hexSignatureMatches, oneOf } from './signature.ts'

/** Operators may edit the template, so that any of it may be missing, or be something else. */
const Body = z.object({
  notification_type: Line,
  subject: Line,
  media: part({ media_type: Line, tmdbId: Digits, tvdbId: Digits, status: Line, status4k: Line }),
  request: part({ request_id: Digits }),
  issue: part({ issue_id: Digits }),
  comment: part({ comment_message: Line }),
  extra: z.array(z.unknown()).optional().catch(undefined),
})

const Extra = part({ name: Line, value: Line })
const maxExtras = 50

/** Overseerr and Seerr cannot sign. They send a header as the operator set it; a proxy between may sign. */
export function overseerrSender(secrets: readonly string[]): Sender {
  return {
    source: 'overseerr',
    maxBytes: mebibyte,
    async verify({ header, bytes }) {
      const signature = header('x-overseerr-signature') ?? header('x-signature')
      if (signature !== undefined) {
        // A signature that is there and wrong means a body that was changed: no header makes up for that.
        return (await hexSignatureMatches(signature, bytes, secrets, 'prefix-optional'))
          ? 'verified'
          : undefined
      }
      for (const given of credentials(header('authorization') ?? '')) {
        if (await oneOf(given, secrets)) return 'authenticated'
      }
      return undefined
    },
    read: async (attempt) => read(attempt),
  }
}

/** The readings of an Authorization header: all of it, a bearer token, a password. */
function credentials(header: string): readonly string[] {
  const [, scheme = '', rest = ''] = /^(\w+) +(.+)$/.exec(header) ?? []
  if (/^bearer$/i.test(scheme)) return [header, rest]
  if (!/^basic$/i.test(scheme)) return [header]
  const pair = new TextDecoder().decode(fromBase64(rest) ?? new Uint8Array())
  return [header, ...(pair.includes(':') ? [pair.slice(pair.indexOf(':') + 1)] : [])]
}

function read({ bytes }: Attempt): Notice {
  const body = readJson(decodeText(bytes), Body)
  const { notification_type: event, subject, media, request, issue, comment } = body
  if (event === undefined) throw malformed('Names no event', 'json#/notification_type')
  const extra = (body.extra ?? []).slice(0, maxExtras).map((entry) => Extra.parse(entry))
  return {
    event,
    kept: keep({
      title: subject,
      mediaType: media?.media_type,
      tmdbId: media?.tmdbId,
      tvdbId: media?.tvdbId,
      requestId: request?.request_id,
    }),
    sameness: {
      content: [event, subject, media, request?.request_id, issue?.issue_id, comment?.comment_message, extra],
      withinMs: 10 * minuteMs,
      because: 'same-event',
    },
  }
}
