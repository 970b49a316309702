import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { DemoWorld } from './demo-world.ts'
import { writePrivate } from './private-file.ts'
import { genericSource, type Secrets } from './secrets.ts'
import type { Session } from './sign-in.ts'

const Person = z.object({
  userId: z.string(),
  username: z.string(),
  accessToken: z.string(),
  refreshToken: z.string(),
})
const Video = z.object({ url: z.url(), title: z.string(), seconds: z.number(), bytes: z.number() })

/** All that one needs to try the demo from outside. */
export const Demo = z.object({
  baseUrl: z.url(),
  liveUrl: z.url(),
  admin: Person,
  friends: z.array(Person),
  plex: z.object({ url: z.url(), machineIdentifier: z.string() }),
  plexTv: z.object({ url: z.url() }),
  videoSite: z.object({ url: z.url(), videos: z.array(Video) }),
  webhooks: z.object({
    githubSecret: z.string(),
    /** The whole value of the header that Overseerr sends. */
    overseerrAuthorization: z.string(),
    plexSecret: z.string(),
    genericSource: z.string(),
    genericSecret: z.string(),
  }),
  downloaderToken: z.string(),
  metricsToken: z.string(),
})
export type Demo = z.output<typeof Demo>

const fileIn = (stateFolder: string): string => join(stateFolder, 'demo.json')

export function describeDemo(
  baseUrl: string,
  world: DemoWorld,
  secrets: Secrets,
  sessions: readonly Session[],
): Demo {
  const people = sessions.map(({ user, accessToken, refreshToken }) => ({
    userId: user.id,
    username: user.username,
    accessToken,
    refreshToken,
  }))
  const [admin, ...friends] = people
  if (!admin) throw new Error('nobody is signed in')
  const { plex, plexTv, videoSite } = world
  return {
    baseUrl,
    liveUrl: `${baseUrl.replace(/^http/, 'ws')}/api/live`,
    admin,
    friends,
    plex: { url: plex.url, machineIdentifier: plex.machineIdentifier },
    plexTv: { url: plexTv.url },
    videoSite: {
      url: videoSite.url,
      videos: videoSite.videos.map(({ url, title, seconds, bytes }) => ({ url, title, seconds, bytes })),
    },
    webhooks: {
      githubSecret: secrets.GITHUB_WEBHOOK_SECRET,
      overseerrAuthorization: secrets.OVERSEERR_WEBHOOK_SECRET,
      plexSecret: secrets.PLEX_WEBHOOK_SECRET,
      genericSource,
      genericSecret: GenericSecrets.parse(JSON.parse(secrets.GENERIC_WEBHOOK_SECRETS))[genericSource],
    },
    downloaderToken: secrets.DOWNLOADER_TOKEN,
    metricsToken: secrets.METRICS_TOKEN,
  }
}

const GenericSecrets = z.object({ [genericSource]: z.string() })

export function writeDemo(stateFolder: string, demo: Demo): void {
  writePrivate(fileIn(stateFolder), demo)
}

export function removeDemo(stateFolder: string): void {
  rmSync(fileIn(stateFolder), { force: true })
}
