import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'

import { desk, phone, startBrowser } from './support/browser.ts'
import { systemForFile } from './support/shared-system.ts'

const system = systemForFile()
let browser: Browser

beforeAll(async () => {
  browser = await startBrowser()
})

afterAll(() => browser.close())

type Reply = { readonly status: number; readonly body: unknown }

/** What a script of the page gets to see. */
const ask = (page: Page, path: string, body?: unknown): Promise<Reply> =>
  page.evaluate(
    async ([path, body]) => {
      const answer = await fetch(path, {
        ...(body !== undefined && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    [path, body] as const,
  )

const StartedPin = z.object({ data: z.object({ id: z.string(), authUrl: z.url() }) })

/** A page of ours that has no rules of its own about what its scripts may ask. */
async function ownPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${system().baseUrl}/api/health/live`)
  return page
}

async function newContext(viewport = desk): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport })
  onTestFinished(() => context.close())
  return context
}

/** For people to look at: name a folder in `SCREENSHOTS`. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) })
}

async function expectToFit(page: Page): Promise<void> {
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
}

/** As a person does it: on plex.tv's page, in a tab of its own, while ours asks again and again. */
async function signIn(context: BrowserContext, username: string): Promise<Page> {
  const page = await ownPage(context)
  const started = StartedPin.parse((await ask(page, '/api/auth/plex/pin', {})).body).data
  const plexTv = await context.newPage()
  await plexTv.goto(started.authUrl)
  const poll = `/api/auth/plex/pin/${started.id}`
  expect(await ask(page, poll)).toMatchObject({ status: 202, body: { data: { state: 'pending' } } })
  await shoot(plexTv, `sign-in-${username}`)
  await expectToFit(plexTv)
  await plexTv.getByRole('button', { name: username }).click()
  await plexTv.getByText('You are signed in').waitFor()
  await shoot(plexTv, `signed-in-${username}`)
  await plexTv.close()
  const finished = await ask(page, poll)
  expect(finished).toMatchObject({ status: 200, body: { data: { user: { username } } } })
  expect(JSON.stringify(finished.body)).not.toMatch(/token"/i)
  return page
}

/** Opens a live connection from a page and answers the first event, or that it was refused. */
const firstEvent = (page: Page): Promise<string> =>
  page.evaluate(
    (address) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(address)
        socket.addEventListener('message', ({ data }) => {
          resolve(JSON.parse(String(data)).event)
          socket.close()
        })
        socket.addEventListener('error', () => resolve('refused'))
      }),
    system().demo.liveUrl,
  )

test('a person signs in on a phone, and from then on the cookies alone speak for them', async () => {
  const context = await newContext(phone)
  const page = await signIn(context, 'frank')
  const cookies = await context.cookies()
  expect(cookies.map(({ name }) => name).toSorted()).toEqual([
    '__Host-medianest-access',
    '__Host-medianest-refresh',
  ])
  for (const cookie of cookies)
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' })
  expect(await page.evaluate<string>('document.cookie')).toBe('')

  const libraries = await ask(page, '/api/plex/libraries')
  expect(libraries).toMatchObject({ status: 200, body: { data: [{ key: '1' }, { key: '3' }] } })
  expect(await firstEvent(page)).toBe('hello')
  expect(await ask(page, '/api/auth/refresh', {})).toMatchObject({ status: 200 })
  expect(await ask(page, '/api/auth/session')).toMatchObject({ status: 200 })
  expect(await ask(page, '/api/auth/sign-out', {})).toMatchObject({ status: 204 })
  expect(await context.cookies()).toEqual([])
  expect(await ask(page, '/api/plex/libraries')).toMatchObject({ status: 401 })
})

test('where the app says so, plex.tv sends the person back to it', async () => {
  const context = await newContext()
  const page = await ownPage(context)
  const forwardUrl = `${system().baseUrl}/docs`
  const { body } = await ask(page, '/api/auth/plex/pin', { forwardUrl })
  await page.goto(StartedPin.parse(body).data.authUrl)
  await page.getByRole('button', { name: 'fatima' }).click()
  await page.waitForURL(forwardUrl)
})

/** A page of somebody else's, on the same host and so sent our cookies, or on another one. */
async function strangersPage(context: BrowserContext, host: string): Promise<Page> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(`<!doctype html><title>Win a prize</title>
<form method="post" enctype="text/plain" action="${system().baseUrl}/api/auth/sign-out"><button>Win</button></form>`)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const page = await context.newPage()
  await page.goto(`http://${host}:${port}/`)
  return page
}

const strangers = [
  ['on our own host', '127.0.0.1', 403],
  ['on another host', 'localhost', 401],
] as const

test.each(strangers)('a stranger’s page %s can do nothing in a person’s name', async (_, host, status) => {
  const context = await newContext()
  const page = await signIn(context, 'olivia')
  const stranger = await strangersPage(context, host)
  const url = `${system().baseUrl}/api/auth/sign-out`
  const attempt = stranger.evaluate(
    (url) =>
      fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }).then(() => 'sent'),
    url,
  )
  const [sent] = await Promise.all([stranger.waitForResponse(url), attempt])
  expect(sent.status()).toBe(status)
  const read = stranger.evaluate(
    (url) =>
      fetch(url, { credentials: 'include' }).then(
        () => 'read',
        () => 'not to be read',
      ),
    `${system().baseUrl}/api/plex/libraries`,
  )
  expect(await read).toBe('not to be read')
  expect(await firstEvent(stranger)).toBe('refused')
  const [submitted] = await Promise.all([
    stranger.waitForResponse(url),
    stranger.getByRole('button', { name: 'Win' }).click(),
  ])
  expect(submitted.status()).toBe(status)
  expect(await ask(page, '/api/auth/session')).toMatchObject({ status: 200 })
})

const OpenApi = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

test.each([
  ['phone', phone],
  ['desk', desk],
] as const)(
  '/docs shows every operation on a %s, needs nothing from elsewhere and complains of nothing',
  async (name, viewport) => {
    const context = await newContext(viewport)
    const page = await context.newPage()
    const complaints: string[] = []
    const requests: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(`${system().baseUrl}/docs`)
    await shoot(page, `docs-${name}`)
    const { paths } = OpenApi.parse(
      await (await context.request.get(`${system().baseUrl}/openapi.json`)).json(),
    )
    const shown = await page.locator('summary:has(b)').allInnerTexts()
    const summaries = shown.map((text) => text.replace(/\s+/g, ' '))
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods))
        expect(summaries.some((text) => text.startsWith(`${method.toUpperCase()} ${path} `))).toBe(true)

    await page.getByRole('searchbox').fill('youtube/download')
    expect(await page.locator('summary:visible').count()).toBeLessThan(summaries.length / 2)
    expect(await page.locator('h2:visible').allInnerTexts()).toEqual(['Youtube'])
    await page.locator('summary:visible', { hasText: 'Ask for a video' }).click()
    await page.locator('pre:visible').first().waitFor()
    await expectToFit(page)
    await shoot(page, `docs-open-${name}`)
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(`${system().baseUrl}/`))).toEqual([])
  },
)
