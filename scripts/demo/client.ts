import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'

export type Person = { readonly username: string; readonly accessToken: string }

export type Answer = {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- a stranger's client does not know our types
  readonly body: any
}

/** A client of the API as anybody could write it: nothing but HTTP. */
export function createClient(baseUrl: string) {
  const send = async (
    method: string,
    path: string,
    init: { person?: Person; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...(init.person && { authorization: `Bearer ${init.person.accessToken}` }),
        ...init.headers,
      },
      ...(init.body !== undefined && { body: init.body }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  const json = { 'content-type': 'application/json' }

  return {
    get: (path: string, person?: Person, headers: Record<string, string> = {}) =>
      send('GET', path, { ...(person && { person }), headers }),
    post: (path: string, body: unknown, person?: Person, headers: Record<string, string> = {}) =>
      send('POST', path, {
        ...(person && { person }),
        headers: { ...json, ...headers },
        body: JSON.stringify(body),
      }),
    delete: (path: string, person?: Person) => send('DELETE', path, { ...(person && { person }) }),
    /** As GitHub signs: HMAC-SHA256 over the very bytes that are sent. */
    github: (event: string, payload: unknown, secret: string) => {
      const body = JSON.stringify(payload)
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
      const headers = {
        ...json,
        'x-github-event': event,
        'x-github-delivery': crypto.randomUUID(),
        'x-hub-signature-256': signature,
      }
      return send('POST', '/api/webhooks/github', { headers, body })
    },
  }
}
export type Client = ReturnType<typeof createClient>

export function expectStatus(answer: Answer, status: number): Answer {
  assert.equal(answer.status, status, `answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer
}
