import { Problem } from '#contract/problem.ts'

import type { Log, LogFields } from '../http/env.ts'
import { UpstreamError } from './upstream.ts'

const secretKey = /token|secret|authorization|cookie|password|api[-_]?key|sealed|hash|email/i
/** Values that carry a secret wherever they stand: bearer credentials, our own tokens, tokens in addresses. */
const secretValue =
  /(Bearer|Basic)\s+[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]+|mnr?_[\w.-]{20,}|whsec_[\w+/=]+|([?&](?:X-Plex-Token|token|ticket|secret)=)[^&\s"]+/gi
const maxText = 2_000
const maxFrames = 10

/** One JSON object a line, with everything that may be a secret taken out. The only writer of logs. */
export function createLogger(write: (line: string) => void, now: () => number): Log {
  return (level, event, fields = {}) => {
    write(JSON.stringify({ at: new Date(now()).toISOString(), level, event, ...redactFields(fields) }))
  }
}

function redactFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, secretKey.test(key) ? '[redacted]' : redact(value)]),
  )
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .slice(0, maxText)
      .replaceAll(secretValue, (_match, _scheme, parameter?: string) => `${parameter ?? ''}[redacted]`)
  }
  if (value instanceof Error) return describe(value)
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value === 'object' && value !== null) return redactFields({ ...value })
  return value
}

/**
 * What failed and where. Only our own errors are quoted: a parser's message repeats what it read, and a message of
 * the network may hold an address.
 */
function describe(error: Error): LogFields {
  const ours = error instanceof Problem || error instanceof UpstreamError
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  return {
    name: error.name,
    ...(ours && { message: error.message }),
    stack: frames.slice(0, maxFrames).map((line) => line.trim()),
  }
}

/** The Worker's log: Cloudflare collects what the console is given. */
// oxlint-disable-next-line no-console -- this is the one place that writes
export const log: Log = createLogger((line) => console.log(line), Date.now)
