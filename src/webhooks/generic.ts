import * as z from 'zod'

import { decodeText, readJson } from './body.ts'
import { Line } from './fields.ts'
import { sha256Hex } from './proof.ts'
import { hourMs, mebibyte, type Attempt, type Sender } from './sender.ts'
import { hexSignatureMatches } from './signature.ts'
import { isStandardSecret, verifyStandardWebhook } from './standard-webhooks.ts'

const Body = z.object({ type: Line, event: Line, eventType: Line })

/** Any sender that can sign. Its secret's form, which the operator chose, decides the scheme: no header does. */
export function genericSender(name: string, secrets: readonly string[]): Sender {
  const standard = secrets.filter(isStandardSecret)
  const plain = secrets.filter((secret) => !isStandardSecret(secret))
  const signedId = (attempt: Attempt) => verifyStandardWebhook(attempt, standard)

  return {
    source: `generic:${name}`,
    maxBytes: mebibyte,
    async verify(attempt) {
      const good =
        (await signedId(attempt)) !== undefined ||
        (await hexSignatureMatches(hexHeader(attempt), attempt.bytes, plain, 'prefix-optional'))
      return good ? 'verified' : undefined
    },
    async read(attempt) {
      const { type, event, eventType } = readJson(decodeText(attempt.bytes), Body)
      const id = await signedId(attempt)
      return {
        event: type ?? event ?? eventType ?? 'unknown',
        kept: {},
        sameness:
          id === undefined
            ? {
                content: ['body', await sha256Hex(attempt.bytes)],
                withinMs: 24 * hourMs,
                because: 'same-body',
              }
            : // The longest schedule of the standard tries for three days.
              { content: ['id', id], withinMs: 96 * hourMs, because: 'same-id' },
      }
    },
  }
}

const hexHeader = ({ header }: Attempt) => header('x-hub-signature-256') ?? header('x-signature')
