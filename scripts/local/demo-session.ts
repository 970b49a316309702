import { describeDemo, removeDemo, writeDemo, type Demo } from './demo-file.ts'
import type { DemoWorld } from './demo-world.ts'
import type { Secrets } from './secrets.ts'
import { continueSessions, signInAll } from './sign-in.ts'

/** The owner of the Plex server, and who else may use it. */
const people = ['olivia', 'frank', 'fatima']

// Access tokens live for a quarter of an hour.
const renewMs = 11 * 60_000
const retryMs = 60_000

export type DemoSessionOptions = {
  readonly baseUrl: string
  readonly stateFolder: string
  readonly world: DemoWorld
  readonly secrets: Secrets
}

/** Signs the people in, and has the Plex server tell the Worker what happens there. */
export async function openDemo({ baseUrl, stateFolder, world, secrets }: DemoSessionOptions): Promise<Demo> {
  world.plex.setWebhookUrls([`${baseUrl}/api/webhooks/plex/${secrets.PLEX_WEBHOOK_SECRET}`])
  const { claim } = world.plexTv
  const sessions = await continueSessions({ baseUrl, stateFolder, usernames: people, claim })
  return describeDemo(baseUrl, world, secrets, sessions)
}

/** Leaves the demo's file for others to read, with tokens that hold, until it is stopped. */
export function publishDemo(demo: Demo, options: DemoSessionOptions, keepFresh: boolean): () => void {
  const { baseUrl, stateFolder, world, secrets } = options
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const wait = (ms: number): void => {
    timer = setTimeout(() => void renew().catch(() => undefined), ms)
  }
  // By a new sign-in: whoever read the file may be using its refresh tokens, and a second use would end their sessions.
  const renew = async (): Promise<void> => {
    let next = retryMs
    try {
      const { claim } = world.plexTv
      const sessions = await signInAll({ baseUrl, stateFolder, usernames: people, claim })
      if (!stopped) writeDemo(stateFolder, describeDemo(baseUrl, world, secrets, sessions))
      next = renewMs
    } finally {
      if (!stopped) wait(next)
    }
  }
  writeDemo(stateFolder, demo)
  if (keepFresh) wait(renewMs)
  return () => {
    stopped = true
    clearTimeout(timer)
    removeDemo(stateFolder)
  }
}
