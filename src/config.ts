import * as z from 'zod'

import { isAbsolute } from './plex/location.ts'

const minutes = (count: number) => count * 60_000
const hours = (count: number) => minutes(60 * count)

const isLoopback = (hostname: string) => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)

const address = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) address', abort: true })
  .transform((text) => new URL(text))

/** An upstream's base address: https, or http on loopback where nobody can listen in. No trailing slash. */
const Upstream = address
  .refine(({ protocol, hostname }) => protocol === 'https:' || isLoopback(hostname), {
    error: 'must be https (http is for loopback only)',
  })
  .refine(({ username, password, search, hash }) => username + password + search + hash === '', {
    error: 'must hold no credentials, no query and no fragment',
  })
  .transform(({ origin, pathname }) => origin + pathname.replace(/\/+$/, ''))

/** As a browser states it, whatever follows the host. */
const Origin = address.transform(({ origin }) => origin)

/** `host[:port]` as the address of a video states it. */
const isHost = (text: string) => URL.parse(`http://${text}`)?.host === text.toLowerCase()

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )

const number = (fallback: number, min = 1) => z.coerce.number().int().min(min).default(fallback)

/** `id:base64url` pairs, the first one signs, all of them verify; two are enough to rotate. */
const KeyRing = z.string().transform((text, context) => {
  const keys = text.split(',').map((pair) => /^\s*([\w-]{1,32}):([A-Za-z0-9_-]{43})\s*$/.exec(pair))
  const parsed = keys.flatMap((match) => (match?.[1] && match[2] ? [{ id: match[1], secret: match[2] }] : []))
  const distinct = new Set(parsed.map(({ id }) => id)).size
  if (distinct !== keys.length || distinct > 2) {
    context.addIssue(
      'must be one or two keys, each an id of its own, a colon and 32 bytes in base64url, separated by a comma',
    )
    return z.NEVER
  }
  return parsed
})
export type KeyRing = z.output<typeof KeyRing>

/** One or two live secrets, separated by a comma, so that one can be replaced without losing a delivery. */
const Secrets = (minLength: number) =>
  list.pipe(z.array(z.string().min(minLength, `must have at least ${minLength} characters`)).max(2))

const GenericSecrets = z
  .string()
  .default('{}')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue('must be a JSON object of source names and secrets')
      return z.NEVER
    }
  })
  .pipe(z.record(z.string().regex(/^[\w-]{1,64}$/), Secrets(16)))

/** `from=>to` pairs, separated by semicolons. */
const PathRules = z
  .string()
  .default('')
  .transform((text, context) => {
    const pairs = text.split(';').filter((pair) => pair.trim() !== '')
    return pairs.map((pair) => {
      const [from = '', to = '', ...more] = pair.split('=>').map((path) => path.trim())
      if (!isAbsolute(from) || !isAbsolute(to) || more.length > 0) {
        context.addIssue('must be pairs like /data/tv=>/media/tv of whole paths, separated by semicolons')
      }
      return { from, to }
    })
  })

const Settings = z.object({
  PLEX_URL: Upstream,
  PLEX_MACHINE_IDENTIFIER: z
    .string()
    .regex(/^[\w-]{8,64}$/, 'must be the machineIdentifier that your server’s /identity shows'),
  PLEX_CLIENT_IDENTIFIER: z
    .string()
    .regex(/^[\w.-]{8,64}$/, 'must be 8 to 64 letters, digits, dots or dashes, the same for ever'),
  PLEX_TV_URL: Upstream.default('https://plex.tv'),
  PLEX_AUTH_URL: Upstream.default('https://app.plex.tv/auth'),
  PLEX_ADMIN_USER_ID: z.string().regex(/^\d+$/).optional(),
  PLEX_MOVIES_LIBRARY_KEY: z.string().regex(/^\d+$/).default('1'),
  PLEX_TV_LIBRARY_KEY: z.string().regex(/^\d+$/).default('2'),
  PLEX_PATH_MAP: PathRules,
  PUBLIC_URL: z.literal('').or(Origin).default(''),
  ALLOWED_ORIGINS: list.pipe(z.array(Origin)),
  DOWNLOAD_ALLOWED_HOSTS: list.pipe(
    z.array(z.string().refine(isHost, 'must be hosts, each with its port if any')),
  ),
  ACCESS_TOKEN_KEYS: KeyRing,
  VAULT_KEYS: KeyRing,
  DOWNLOADER_TOKEN: Secrets(32).pipe(z.array(z.string()).min(1, 'must be set')),
  OVERSEERR_WEBHOOK_SECRET: Secrets(16),
  PLEX_WEBHOOK_SECRET: Secrets(22),
  GITHUB_WEBHOOK_SECRET: Secrets(16),
  GENERIC_WEBHOOK_SECRETS: GenericSecrets,
  PLEX_REQUESTS_PER_15_MINUTES: number(100),
  METADATA_PER_HOUR: number(100),
  DOWNLOADS_PER_HOUR: number(5),
  UNVERIFIED_WEBHOOKS_PER_15_MINUTES: number(100),
  VERIFIED_WEBHOOKS_PER_15_MINUTES: number(1_000),
  SIGN_INS_PER_15_MINUTES: number(10),
  BREAKER_FAILURES: number(5),
  BREAKER_OPEN_SECONDS: number(300),
  RETRY_TRIES: number(3),
  RETRY_BASE_MS: number(2_000, 0),
  PLEX_TIMEOUT_MS: number(5_000),
  PLEX_DEADLINE_MS: number(12_000),
  PLEX_TV_TIMEOUT_MS: number(10_000),
  METADATA_TIMEOUT_MS: number(30_000),
  BULKHEAD: number(10),
  ANSWER_MEMORY_MS: number(5_000, 0),
  LIVE_SHARDS: number(1),
  SCAN_QUIET_MS: number(5_000, 0),
  SCAN_MAX_WAIT_MS: number(60_000, 0),
  DOWNLOAD_TRIES: number(3),
  DOWNLOAD_RETRY_BASE_MS: number(5_000, 0),
  DOWNLOADS_PER_SITE: number(2),
  USER_QUOTA_BYTES: number(0, 0),
  TOTAL_QUOTA_BYTES: number(0, 0),
  RETENTION_DAYS: number(0, 0),
  RETENTION_MAX_BYTES: number(0, 0),
})

/** The name of every setting. */
export const settingNames: readonly string[] = Object.keys(Settings.shape)

export type Config = ReturnType<typeof shape>

/** A setting that is missing or malformed. All of them are named at once, none of their values. */
export class ConfigError extends Error {
  readonly settings: readonly string[]

  constructor(issues: readonly z.core.$ZodIssue[]) {
    // Of the path only its head: below it stand names of sources, where an operator may have put a secret by mistake.
    const lines = new Set(issues.map(({ path, message }) => `${String(path[0])}: ${message}`))
    super(`The configuration is incomplete:\n  ${[...lines].join('\n  ')}`)
    this.name = 'ConfigError'
    this.settings = [...new Set(issues.map(({ path }) => String(path[0])))]
  }
}

const parsed = new WeakMap<object, Config>()

/** The one reader of the environment's values; parsed once per isolate. */
export function configOf(env: object): Config {
  const known = parsed.get(env)
  if (known) return known
  const result = Settings.safeParse(env)
  if (!result.success) throw new ConfigError(result.error.issues)
  const config = shape(result.data)
  parsed.set(env, config)
  return config
}

function shape(settings: z.output<typeof Settings>) {
  const perQuarter = (limit: number) => ({ limit, windowMs: minutes(15) })
  const perHour = (limit: number) => ({ limit, windowMs: hours(1) })
  return {
    publicUrl: settings.PUBLIC_URL || undefined,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    accessTokenKeys: settings.ACCESS_TOKEN_KEYS,
    vaultKeys: settings.VAULT_KEYS,
    liveShards: settings.LIVE_SHARDS,
    plex: {
      url: settings.PLEX_URL,
      machineIdentifier: settings.PLEX_MACHINE_IDENTIFIER,
      timeoutMs: settings.PLEX_TIMEOUT_MS,
      deadlineMs: settings.PLEX_DEADLINE_MS,
      moviesLibraryKey: settings.PLEX_MOVIES_LIBRARY_KEY,
      tvLibraryKey: settings.PLEX_TV_LIBRARY_KEY,
      pathRules: settings.PLEX_PATH_MAP,
      scan: { quietMs: settings.SCAN_QUIET_MS, maxMs: settings.SCAN_MAX_WAIT_MS },
    },
    plexTv: {
      url: settings.PLEX_TV_URL,
      authUrl: settings.PLEX_AUTH_URL,
      clientIdentifier: settings.PLEX_CLIENT_IDENTIFIER,
      adminUserId: settings.PLEX_ADMIN_USER_ID,
      timeoutMs: settings.PLEX_TV_TIMEOUT_MS,
    },
    downloads: {
      allowedHosts: settings.DOWNLOAD_ALLOWED_HOSTS,
      tokens: settings.DOWNLOADER_TOKEN,
      metadataTimeoutMs: settings.METADATA_TIMEOUT_MS,
      tries: settings.DOWNLOAD_TRIES,
      retryBaseMs: settings.DOWNLOAD_RETRY_BASE_MS,
      perSite: settings.DOWNLOADS_PER_SITE,
      // Of these, zero stands for none.
      storage: {
        user: settings.USER_QUOTA_BYTES || undefined,
        total: settings.TOTAL_QUOTA_BYTES || undefined,
      },
      retention: {
        maxAgeMs: settings.RETENTION_DAYS ? settings.RETENTION_DAYS * hours(24) : undefined,
        maxBytes: settings.RETENTION_MAX_BYTES || undefined,
      },
    },
    webhooks: {
      overseerr: settings.OVERSEERR_WEBHOOK_SECRET,
      plex: settings.PLEX_WEBHOOK_SECRET,
      github: settings.GITHUB_WEBHOOK_SECRET,
      generic: settings.GENERIC_WEBHOOK_SECRETS,
    },
    limits: {
      plex: perQuarter(settings.PLEX_REQUESTS_PER_15_MINUTES),
      metadata: perHour(settings.METADATA_PER_HOUR),
      downloads: perHour(settings.DOWNLOADS_PER_HOUR),
      'webhooks-unverified': perQuarter(settings.UNVERIFIED_WEBHOOKS_PER_15_MINUTES),
      'webhooks-verified': perQuarter(settings.VERIFIED_WEBHOOKS_PER_15_MINUTES),
      'sign-in': perQuarter(settings.SIGN_INS_PER_15_MINUTES),
    },
    breaker: {
      threshold: settings.BREAKER_FAILURES,
      windowMs: minutes(5),
      openMs: settings.BREAKER_OPEN_SECONDS * 1_000,
      probeMs: 2 * settings.PLEX_TIMEOUT_MS,
    },
    retry: { tries: settings.RETRY_TRIES, baseMs: settings.RETRY_BASE_MS, maxDelayMs: 8_000 },
    bulkhead: settings.BULKHEAD,
    answerMemoryMs: settings.ANSWER_MEMORY_MS,
    ttl: {
      server: hours(1),
      libraries: hours(1),
      items: minutes(30),
      recentlyAdded: minutes(30),
      search: minutes(5),
      metadata: hours(1),
      maxStale: hours(24),
    },
  }
}
