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

/** Signs people in the way they would do it themselves, or goes on with the sessions of an earlier run. */
export async function signInAll(options: SignInOptions): Promise<Session[]> {
  const { baseUrl, stateFolder, usernames, claim } = options
  const saved = readPrivate(fileIn(stateFolder), Saved) ?? {}
  const sessions = await Promise.all(
    usernames.map(async (username) => {
      const session = (await refresh(baseUrl, saved[username])) ?? (await signIn(baseUrl, username, claim))
      // At once: a refresh token is good for one use, and the new one must not be lost.
      saved[username] = session.refreshToken
      writePrivate(fileIn(stateFolder), saved)
      return session
    }),
  )
  return sessions
}

async function refresh(baseUrl: string, refreshToken: string | undefined): Promise<Session | undefined> {
  if (refreshToken === undefined) return undefined
  const answer = await post(`${baseUrl}/api/auth/refresh`, { refreshToken })
  return answer.ok ? SignedIn.parse(await answer.json()).data : undefined
}

export async function signIn(
  baseUrl: string,
  username: string,
  claim: SignInOptions['claim'],
): Promise<Session> {
  const started = await post(`${baseUrl}/api/auth/plex/pin`, {})
  if (started.status !== 201) throw await refusal(`${username} cannot start to sign in`, started)
  const pin = StartedPin.parse(await started.json()).data
  if (!claim(pin.code, username)) throw new Error(`plex.tv does not know the code for ${username}`)
  const headers = { 'x-pin-secret': pin.pinSecret }
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await fetch(`${baseUrl}/api/auth/plex/pin/${pin.id}`, { headers })
    if (answer.status === 200) return SignedIn.parse(await answer.json()).data
    if (answer.status !== 202) throw await refusal(`${username} cannot sign in`, answer)
    await sleep(pin.pollSeconds * 1_000)
  }
  throw new Error(`${username}’s sign-in stays pending`)
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function refusal(what: string, answer: Response): Promise<Error> {
  return new Error(`${what}: ${answer.status} ${(await answer.text()).slice(0, 500)}`)
}
