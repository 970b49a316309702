import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { readPrivate, writePrivate } from './private-file.ts'

const data = <T extends z.ZodType>(schema: T) => z.object({ data: schema })

const StartedPin = data(
  z.object({ id: z.string(), code: z.string(), pinSecret: z.string(), pollSeconds: z.number() }),
)
const SignedIn = data(
  z.object({
    user: z.object({ id: z.string(), username: z.string(), role: z.enum(['user', 'admin']) }),
    accessToken: z.string(),
    accessTokenExpiresAt: z.string(),
    refreshToken: z.string(),
  }),
)
export type Session = z.output<typeof SignedIn>['data']

const Saved = z.record(z.string(), z.string())
const fileIn = (stateFolder: string): string => join(stateFolder, 'sessions.json')

export type SignInOptions = {
  readonly baseUrl: string
  readonly stateFolder: string
  readonly usernames: readonly string[]
  /** Approves a PIN in a person's name, as they would on Plex's page. */
  readonly claim: (code: string, username: string) => boolean
}

/** Goes on with the sessions of an earlier run where they still hold, and signs the others in. */
export function continueSessions(options: SignInOptions): Promise<Session[]> {
  const saved = readPrivate(fileIn(options.stateFolder), Saved) ?? {}
  return Promise.all(
    options.usernames.map(async (username, index) => {
      const session = await refresh(options.baseUrl, saved[username])
      if (!session) return signIn(options, username, index)
      save(options, username, session)
      return session
    }),
  )
}

/** Signs everybody in the way they would do it themselves; earlier sessions go on beside the new ones. */
export function signInAll(options: SignInOptions): Promise<Session[]> {
  return Promise.all(options.usernames.map((username, index) => signIn(options, username, index)))
}

/** At once: a refresh token is good for one use, and the new one must not be lost. */
function save({ stateFolder }: SignInOptions, username: string, { refreshToken }: Session): void {
  const file = fileIn(stateFolder)
  writePrivate(file, { ...readPrivate(file, Saved), [username]: refreshToken })
}

async function refresh(baseUrl: string, refreshToken: string | undefined): Promise<Session | undefined> {
  if (refreshToken === undefined) return undefined
  const answer = await post(`${baseUrl}/api/auth/refresh`, { refreshToken })
  return answer.ok ? SignedIn.parse(await answer.json()).data : undefined
}

async function signIn(options: SignInOptions, username: string, index: number): Promise<Session> {
  const { baseUrl, claim } = options
  // From homes of their own: an address has a limited number of sign-ins, which are for whoever tries the demo.
  const home = { 'cf-connecting-ip': `127.0.1.${index + 1}` }
  const started = await post(`${baseUrl}/api/auth/plex/pin`, {}, home)
  if (started.status !== 201) throw await refusal(`${username} cannot start to sign in`, started)
  const pin = StartedPin.parse(await started.json()).data
  if (!claim(pin.code, username)) throw new Error(`plex.tv does not know the code for ${username}`)
  const headers = { ...home, 'x-pin-secret': pin.pinSecret }
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await fetch(`${baseUrl}/api/auth/plex/pin/${pin.id}`, { headers })
    if (answer.status === 200) {
      const session = SignedIn.parse(await answer.json()).data
      save(options, username, session)
      return session
    }
    if (answer.status !== 202) throw await refusal(`${username} cannot sign in`, answer)
    await sleep(pin.pollSeconds * 1_000)
  }
  throw new Error(`${username}’s sign-in stays pending`)
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function refusal(what: string, answer: Response): Promise<Error> {
  return new Error(`${what}: ${answer.status} ${(await answer.text()).slice(0, 500)}`)
}
