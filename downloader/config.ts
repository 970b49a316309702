import { hostname } from 'node:os'
import { posix, resolve, win32 } from 'node:path'
import * as z from 'zod'

import type { Pace } from './pace.ts'
import { officialReleases } from './update/release.ts'
import { checkTarget, parseAllowedHosts } from './ytdlp/target.ts'

const gibibyte = 1024 ** 3
/** Nineteen seconds, there since 2005. */
const shortVideo = 'https://www.youtube.com/watch?v=jNQXAC9IVRw'

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)

const LinkUrl = z.string().check(({ value, issues }) => {
  const wrong = problemOfLink(value)
  if (wrong) issues.push({ code: 'custom', input: value, message: wrong })
})

function problemOfLink(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'wss:' && url?.protocol !== 'ws:') return 'must be a ws:// or wss:// address'
  if (url.protocol === 'ws:' && !isLoopback(url.hostname))
    return 'must use wss://, except to this very machine'
  return undefined
}

const directory = z
  .string()
  .min(1)
  // yt-dlp expands these in the directories it is given.
  .refine((value) => !/[$%~\p{Cc}]/u.test(value), { error: 'must not contain $, %, ~ or control characters' })
  .transform((value) => resolve(value))

const absolute = z.string().refine((value) => posix.isAbsolute(value) || win32.isAbsolute(value), {
  error: 'must be an absolute path',
})

function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  const error = `must be a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error })
}

/** What comes from there is run: only this very machine may hand it over in the clear. */
const Releases = z.string().refine(
  (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  },
  { error: 'must be an https:// address' },
)

const Settings = z.object({
  LINK_URL: LinkUrl,
  DOWNLOADER_TOKEN: z.string().min(16, { error: 'must have at least 16 characters' }),
  DOWNLOADER_ID: z
    .string()
    .regex(/^[\w-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, _ or -' })
    .optional(),
  LIBRARY_DIR: directory,
  WORK_DIR: directory.optional(),
  STATE_DIR: directory.optional(),
  PLEX_LIBRARY_PATH: absolute.optional(),
  SLOTS: wholeNumber(1, 32).default(2),
  ALLOWED_HOSTS: z
    .string()
    .transform((value, context) => {
      const { hosts, wrong } = parseAllowedHosts(value)
      for (const entry of wrong) context.addIssue(`"${entry}" is not a host or host:port`)
      return hosts
    })
    .default([]),
  YT_DLP_PATH: z.string().default('yt-dlp'),
  FFMPEG_PATH: z.string().default('ffmpeg'),
  FFPROBE_PATH: z.string().default('ffprobe'),
  STALL_SECONDS: wholeNumber(1, 86_400).default(120),
  RESERVE_BYTES: wholeNumber(0).default(2 * gibibyte),
  MAX_BYTES: wholeNumber(1).default(50 * gibibyte),
  SITE_STARTS_PER_HOUR: wholeNumber(1).default(240),
  SITE_BURST: wholeNumber(1).default(10),
  RATE_LIMIT: z
    .string()
    .regex(/^\d+(?:\.\d+)?[KMG]?$/i, { error: 'must be bytes a second, such as 500K or 4.2M' })
    .optional(),
  COOKIES_FILE: absolute.optional(),
  SPONSORBLOCK_API: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  PROXY: z
    .url({ protocol: /^(?:https?|socks[45]h?)$/, error: 'must be an http or socks address' })
    .optional(),
  HEALTH_PORT: z
    .union([z.literal('off'), wholeNumber(0, 65_535)], {
      error: 'must be a whole number from 0 to 65535, or off',
    })
    .default(8788),
  AUTO_UPDATE: z.enum(['daily', 'off'], { error: 'must be daily or off' }).default('off'),
  YT_DLP_RELEASES: Releases.transform((value) => value.replace(/\/+$/, '')).default(officialReleases),
  CANARY_URL: z.string().default(shortVideo),
})

const Env = Settings.refine(({ CANARY_URL, ALLOWED_HOSTS }) => checkTarget(CANARY_URL, ALLOWED_HOSTS).ok, {
  path: ['CANARY_URL'],
  error: 'must be the address of a video that downloads may come from',
  // Named along with what else is wrong, unless that is what it is held against.
  when: ({ issues }) => !issues.some(({ path }) => path?.[0] === 'ALLOWED_HOSTS'),
})

/** The name of every setting. */
export const settingNames: readonly string[] = Object.keys(Settings.shape)

export type Config = {
  readonly linkUrl: string
  readonly token: string
  readonly downloaderId: string
  readonly slots: number
  readonly libraryDirectory: string
  readonly workDirectory: string
  readonly stateDirectory: string
  /** The library's folder as the Plex server sees it. */
  readonly plexLibraryPath: string
  readonly allowedHosts: readonly string[]
  readonly ytDlpPath: string
  readonly ffmpegPath: string
  readonly ffprobePath: string
  readonly stallMs: number
  readonly reserveBytes: number
  readonly maxBytes: number
  /** How often one site is visited. */
  readonly sitePace: Pace
  readonly rateLimit: string | undefined
  readonly cookiesFile: string | undefined
  /** Asked instead of SponsorBlock itself. */
  readonly sponsorBlockApi: string | undefined
  readonly proxy: string | undefined
  /** Where the state of health is asked for, on this very machine; 0 lets the system choose. */
  readonly healthPort: number | undefined
  readonly updatesDaily: boolean
  readonly ytDlpReleases: string
  /** What a new yt-dlp has to download before it is used. */
  readonly canaryUrl: string
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads the environment once; says everything that is wrong with it, each by its variable, and no value of it. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  host: string = hostname(),
): ParsedConfig {
  // An empty variable, as compose files make them, is one that was not set.
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Env.safeParse(set)
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0] ?? 'environment')
        return set[name] === undefined ? `${name} must be set` : `${name}: ${message}`
      }),
    }
  }
  return { ok: true, config: toConfig(parsed.data, host) }
}

function toConfig(env: z.output<typeof Env>, host: string): Config {
  const workDirectory = env.WORK_DIR ?? posix.join(env.LIBRARY_DIR, '.medianest')
  return {
    linkUrl: env.LINK_URL,
    token: env.DOWNLOADER_TOKEN,
    downloaderId: env.DOWNLOADER_ID ?? idFromHost(host),
    slots: env.SLOTS,
    libraryDirectory: env.LIBRARY_DIR,
    workDirectory,
    stateDirectory: env.STATE_DIR ?? workDirectory,
    plexLibraryPath: env.PLEX_LIBRARY_PATH ?? env.LIBRARY_DIR,
    allowedHosts: env.ALLOWED_HOSTS,
    ytDlpPath: env.YT_DLP_PATH,
    ffmpegPath: env.FFMPEG_PATH,
    ffprobePath: env.FFPROBE_PATH,
    stallMs: env.STALL_SECONDS * 1000,
    reserveBytes: env.RESERVE_BYTES,
    maxBytes: env.MAX_BYTES,
    sitePace: { startsPerHour: env.SITE_STARTS_PER_HOUR, burst: env.SITE_BURST },
    rateLimit: env.RATE_LIMIT,
    cookiesFile: env.COOKIES_FILE,
    sponsorBlockApi: env.SPONSORBLOCK_API,
    proxy: env.PROXY,
    healthPort: env.HEALTH_PORT === 'off' ? undefined : env.HEALTH_PORT,
    updatesDaily: env.AUTO_UPDATE === 'daily',
    ytDlpReleases: env.YT_DLP_RELEASES,
    canaryUrl: env.CANARY_URL,
  }
}

function idFromHost(host: string): string {
  const safe = host
    .replace(/[^\w-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 52)
  return safe === '' ? 'downloader' : `downloader-${safe}`
}
