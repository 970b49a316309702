import { exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import * as z from 'zod'

import { problemCodes, problemSchemas, problemStatus, type ProblemCode } from '#contract/problems.ts'

import { control } from './world.ts'

export type Ask = {
  readonly token?: string | undefined
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit
}

/** Asks the whole Worker, as a client would. */
export function ask(method: string, path: string, options?: Ask): Promise<Response> {
  return exports.default.fetch(requestOf(method, path, options))
}

export const origin = 'https://medianest.example'

export function requestOf(
  method: string,
  path: string,
  { token, json, headers, body }: Ask = {},
): Request<unknown, IncomingRequestCfProperties> {
  return new Request<unknown, IncomingRequestCfProperties>(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined ? { body } : {}),
  })
}

const Coded = z.looseObject({ code: z.enum(problemCodes as [ProblemCode, ...ProblemCode[]]) })

/** Expects that problem, in full: media type, status, schema and the headers that go with it. */
export async function expectProblem(response: Response, code: ProblemCode) {
  const body = await expectSomeProblem(response)
  expect(body.code, JSON.stringify(body)).toBe(code)
  return body
}

/** Expects a problem, whichever it is. */
export async function expectSomeProblem(response: Response) {
  const text = await response.text()
  expect(response.headers.get('content-type'), text).toBe('application/problem+json')
  const body = Coded.parse(JSON.parse(text))
  expect(response.status).toBe(problemStatus(body.code))
  problemSchemas[problemCodes.indexOf(body.code)]?.parse(body)
  if ('retryAfter' in body) expect(response.headers.get('retry-after')).toBe(String(body['retryAfter']))
  expect(response.headers.get('x-request-id')).toBe(body['requestId'])
  return body
}

export async function expectData<T>(response: Response, status: number, schema: z.ZodType<T>): Promise<T> {
  const text = await response.text()
  expect(response.status, text).toBe(status)
  return schema.parse(JSON.parse(text))
}

const Pin = z.object({
  data: z.object({
    id: z.string(),
    code: z.string(),
    authUrl: z.url(),
    pinSecret: z.string(),
    expiresAt: z.string(),
    pollSeconds: z.number(),
  }),
})
export const SignedIn = z.object({
  data: z.object({
    accessToken: z.string(),
    refreshToken: z.string(),
    accessTokenExpiresAt: z.string(),
    user: z.object({ id: z.string(), username: z.string(), role: z.enum(['user', 'admin']) }),
  }),
})
export type Session = z.output<typeof SignedIn>['data']

/** An address nobody else has, so that no test spends another's sign-in attempts. */
export const freshAddress = () => ({
  'cf-connecting-ip': `10.${crypto.getRandomValues(new Uint8Array(3)).join('.')}`,
})

export async function startPin(headers = freshAddress()) {
  const response = await ask('POST', '/api/auth/plex/pin', { json: {}, headers })
  return (await expectData(response, 201, Pin)).data
}

/** Accounts of the stand-in: olivia owns the server, frank shares 1 and 3, fatima 2 and 3, sam nothing. */
export type Username = 'olivia' | 'frank' | 'fatima' | 'sam'

export async function claimPin(username: Username, headers = freshAddress()): Promise<Response> {
  const pin = await startPin(headers)
  await control('plexTvUrl', 'claim', { code: pin.code, username })
  return ask('GET', `/api/auth/plex/pin/${pin.id}`, {
    headers: { ...headers, 'x-pin-secret': pin.pinSecret },
  })
}

/** Signs in the way a client without a browser does. */
export async function signIn(username: Username): Promise<Session> {
  return (await expectData(await claimPin(username), 200, SignedIn)).data
}
