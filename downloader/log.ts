import { redact } from './redact.ts'

export type LogFields = Readonly<Record<string, unknown>>

export type Log = {
  readonly info: (event: string, fields?: LogFields) => void
  readonly warn: (event: string, fields?: LogFields) => void
  readonly error: (event: string, fields?: LogFields) => void
}

export type LogOptions = {
  readonly write: (line: string) => void
  readonly now: () => Date
  /** Values that must never appear, wherever they turn up. */
  readonly secrets: readonly string[]
}

const hidden = '[redacted]'
const secretKey = /token|authorization|cookie|password|secret/i
const longestText = 2000

/** One JSON object a line. Secrets, credentials and the query strings of addresses are left out, of errors also paths. */
export function createLog(options: LogOptions): Log {
  const secrets = options.secrets.filter((secret) => secret !== '')
  const shown = (key: string, value: unknown): unknown => {
    if (value instanceof Error) return redact(`${value.name}: ${value.message}`, secrets)
    if (typeof value === 'string') return secretKey.test(key) ? hidden : redactText(value, secrets)
    return value
  }
  const write = (level: string, event: string, fields: LogFields): void => {
    options.write(JSON.stringify({ at: options.now().toISOString(), level, event, ...fields }, shown))
  }
  return {
    info: (event, fields = {}) => write('info', event, fields),
    warn: (event, fields = {}) => write('warn', event, fields),
    error: (event, fields = {}) => write('error', event, fields),
  }
}

function redactText(text: string, secrets: readonly string[]): string {
  const withoutSecrets = secrets.reduce((rest, secret) => rest.replaceAll(secret, hidden), text)
  return (
    withoutSecrets
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`)
      // Media addresses carry their signature in the query.
      .replace(/\b(https?:\/\/[^\s?#"']+)\?[^\s"']*/gi, '$1?…')
      .slice(0, longestText)
  )
}
