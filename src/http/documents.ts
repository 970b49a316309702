import { Hono, type Context } from 'hono'

import { asyncapi } from './asyncapi.ts'
import { docsPage } from './docs-page.ts'
import type { AppEnv } from './env.ts'
import type { Feature } from './feature.ts'
import { shareDefinitions, type Json } from './json-schema.ts'
import { openapi } from './openapi.ts'

const info = { title: 'MediaNest', version: '1' }

/** Stands in the stored page where each answer puts its own nonce. */
const nonceMark = 'nonce-of-this-answer'

/** What the API is, to be read by machines and by people. Each document is made once per isolate. */
export function documents(features: readonly Feature[]): Hono<AppEnv> {
  const http = () => shareDefinitions(openapi(features, info))
  const httpText = remembered(() => stored(http()))
  const liveText = remembered(() => stored(shareDefinitions(asyncapi(features, info))))
  const page = remembered(async () => String(await docsPage(http(), nonceMark)))

  return new Hono<AppEnv>()
    .get('/openapi.json', async (c) => send(c, await httpText()))
    .get('/asyncapi.json', async (c) => send(c, await liveText()))
    .get('/docs', async (c) => {
      const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))))
      return c.html((await page()).replaceAll(nonceMark, nonce), 200, {
        'Content-Security-Policy': policy(nonce),
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'X-Frame-Options': 'DENY',
      })
    })
}

/** Keeps the value and never the promise, which belongs to the request that waits for it. */
function remembered<T>(make: () => Promise<T>): () => Promise<T> {
  let value: T | undefined
  return async () => (value ??= await make())
}

const policy = (nonce: string) =>
  `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

type Stored = { readonly text: string; readonly etag: string }

async function stored(document: Json): Promise<Stored> {
  const text = JSON.stringify(document)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return { text, etag: `"${btoa(String.fromCharCode(...digest.subarray(0, 12)))}"` }
}

function send(c: Context<AppEnv>, { text, etag }: Stored): Response {
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'public, max-age=300',
    ETag: etag,
  }
  // A proxy that compresses makes the tag a weak one; it still names this text.
  if (c.req.header('if-none-match')?.includes(etag)) return c.body(null, 304, headers)
  return c.body(text, 200, headers)
}
