import * as z from 'zod'

import { malformed, readJson } from './body.ts'
import { Digits, keep, Line, part } from './fields.ts'
import { sameText } from './proof.ts'
import { mebibyte, minuteMs, type Attempt, type Notice, type Sender } from './sender.ts'
import { oneOf } from './signature.ts'

const Payload = z.object({
  event: Line,
  Account: part({ id: Line, title: Line }),
  Server: part({ uuid: Line }),
  Metadata: part({
    librarySectionID: Digits,
    ratingKey: Digits,
    type: Line,
    title: Line,
    grandparentTitle: Line,
    viewOffset: Line,
  }),
})

/**
 * Plex can neither sign nor send a header: the address it posts to holds the secret. One address serves every server
 * the account can see, so the body has to name ours.
 */
export function plexSender(secrets: readonly string[], given: string, machineIdentifier: string): Sender {
  return {
    source: 'plex',
    maxBytes: 2 * mebibyte,
    verify: async () => ((await oneOf(given, secrets)) ? 'authenticated' : undefined),
    async read(attempt) {
      const payload = readJson(await payloadPart(attempt), Payload)
      const ours = await sameText(payload.Server?.uuid ?? '', machineIdentifier)
      return ours ? noticeOf(payload) : 'refused'
    },
  }
}

/** The one part that counts, wherever it stands; pictures are never looked at. */
async function payloadPart({ header, bytes }: Attempt): Promise<string> {
  const form = await new Response(bytes, { headers: { 'content-type': header('content-type') ?? '' } })
    .formData()
    .catch(() => {
      throw malformed('The body is not a form', 'form#/')
    })
  const [payload, ...more] = form.getAll('payload')
  if (payload === undefined || more.length > 0) throw malformed('Must be there once', 'form#/payload')
  return typeof payload === 'string' ? payload : payload.text()
}

function noticeOf({ event, Account, Metadata }: z.output<typeof Payload>): Notice {
  if (event === undefined) throw malformed('Names no event', 'form#/payload/event')
  const starts = event === 'media.play' || event === 'playback.started'
  return {
    event,
    kept: keep({
      libraryKey: Metadata?.librarySectionID,
      ratingKey: Metadata?.ratingKey,
      title: Metadata?.title,
      grandparentTitle: Metadata?.grandparentTitle,
      type: Metadata?.type,
      user: starts || event.startsWith('media.') ? Account?.title : undefined,
    }),
    sameness: {
      content: [
        // One start of playback is told twice, under both names.
        starts ? 'media.play' : event,
        // A new item is told once for the owner and once for each user with a hook of their own.
        event === 'library.new' ? undefined : Account?.id,
        Metadata?.ratingKey,
        starts ? undefined : Metadata?.viewOffset,
      ],
      withinMs: minuteMs,
      because: 'same-event',
    },
  }
}
