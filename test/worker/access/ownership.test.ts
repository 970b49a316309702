import { expect, test } from 'vitest'
import * as z from 'zod'

import { ask, expectData, expectProblem } from '../support/client.ts'
import { requestFor, routes } from '../support/operations.ts'
import { member } from '../support/sessions.ts'
import { examples } from './examples.ts'

const [owner, friend, other] = [await member('olivia'), await member('frank'), await member('fatima')]

const Made = z.object({ data: z.looseObject({ id: z.string(), status: z.string() }) })

/** What belongs to one person: a download, by its id. */
const owned = routes.filter(({ base, path }) => base === '/youtube' && path.includes(':id'))

test('a download is there for whom it belongs to and for admins, and for nobody else', async () => {
  const { token } = await friend.session()
  const response = await ask('POST', '/api/youtube/download', {
    token,
    json: { url: 'https://www.youtube.com/watch?v=ownershipA0' },
  })
  const { id } = (await expectData(response, 201, Made)).data
  const path = `/api/youtube/downloads/${id}`
  const read = async () => (await expectData(await ask('GET', path, { token }), 200, Made)).data
  const before = await read()
  expect(owned.length).toBeGreaterThan(5)
  for (const route of owned) {
    const request = requestFor(route, { ...examples[route.id], param: { id } })
    const asked = { ...request.ask, token: (await other.session()).token }
    await expectProblem(await ask(request.method, request.path, asked), 'not-found')
  }
  expect(await read()).toEqual(before)
  expect(before).not.toHaveProperty('userId')
  for (const [stranger, status] of [
    [other, 403],
    [owner, 200],
  ] as const) {
    const session = { token: (await stranger.session()).token }
    const list = await ask('GET', '/api/youtube/downloads', session)
    expect(await list.text()).not.toContain(id)
    expect((await ask('GET', '/api/youtube/downloads?scope=all', session)).status).toBe(status)
  }
  const seen = await ask('GET', path, { token: (await owner.session()).token })
  expect((await expectData(seen, 200, Made)).data).toMatchObject({ id, userId: friend.userId })
  expect((await ask('DELETE', path, { token })).status).toBe(409)
  await ask('POST', `${path}/cancel`, { token: (await owner.session()).token })
  expect(await read()).toMatchObject({ status: 'cancelled' })
})

test('a library that is not shared with someone is not there for them', async () => {
  const libraries = { [friend.userId]: '2', [other.userId]: '1' }
  for (const person of [friend, other]) {
    const { token } = await person.session()
    const path = `/api/plex/libraries/${libraries[person.userId]}/items`
    await expectProblem(await ask('GET', path, { token }), 'not-found')
  }
})
