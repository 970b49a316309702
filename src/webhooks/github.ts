import * as z from 'zod'

import { decodeText, malformed, readJson } from './body.ts'
import type { Kept } from './delivery.ts'
import { keep, Line, part } from './fields.ts'
import { sha256Hex } from './proof.ts'
import { hourMs, mebibyte, type Attempt, type Sender } from './sender.ts'
import { hexSignatureMatches } from './signature.ts'

const Body = z.object({
  action: Line,
  ref: Line,
  commits: z.array(z.unknown()).optional().catch(undefined),
  repository: part({ full_name: Line }),
  deployment: part({ environment: Line }),
  deployment_status: part({ state: Line, environment: Line }),
  release: part({ tag_name: Line }),
})

/** GitHub signs the bytes it sends, and neither an id nor a time. */
export function githubSender(secrets: readonly string[]): Sender {
  return {
    source: 'github',
    maxBytes: mebibyte,
    verify: async ({ header, bytes }) =>
      (await hexSignatureMatches(header('x-hub-signature-256'), bytes, secrets, 'prefixed'))
        ? 'verified'
        : undefined,
    read: async (attempt) => ({
      event: eventOf(attempt),
      kept: keptOf(readJson(jsonOf(attempt), Body)),
      // The event's name is a header that nobody signed: in the key, it would let a captured body in again.
      sameness: { content: [await sha256Hex(attempt.bytes)], withinMs: 24 * hourMs, because: 'same-body' },
    }),
  }
}

function eventOf({ header }: Attempt): string {
  const event = header('x-github-event') ?? ''
  if (!/^[a-z_]{1,64}$/.test(event)) throw malformed('Names no event', 'header#/X-GitHub-Event')
  return event
}

/** A hook may be set up to send a form; what is signed is the form as it is. */
function jsonOf({ header, bytes }: Attempt): string {
  const text = decodeText(bytes)
  if (!/^application\/x-www-form-urlencoded\b/i.test(header('content-type') ?? '')) return text
  const [payload, ...more] = new URLSearchParams(text).getAll('payload')
  if (payload === undefined || more.length > 0) throw malformed('Must be there once', 'form#/payload')
  return payload
}

function keptOf(body: z.output<typeof Body>): Kept {
  return keep({
    action: body.action,
    repository: body.repository?.full_name,
    branch: body.ref?.replace(/^refs\/(?:heads|tags)\//, ''),
    commits: body.commits?.length,
    environment: body.deployment_status?.environment ?? body.deployment?.environment,
    state: body.deployment_status?.state,
    tag: body.release?.tag_name,
  })
}
