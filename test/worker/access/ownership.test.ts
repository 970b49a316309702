import { expect, test } from 'vitest'
import * as z from 'zod'

import { ask, expectData, expectProblem } from '../support/client.ts'
import { requestFor, routes } from '../support/operations.ts'
import { member } from '../support/sessions.ts'

const [owner, friend, other] = [await member('olivia'), await member('frank'), await member('fatima')]

const Made = z.object({ data: z.object({ id: z.string(), status: z.string() }) })

/** What belongs to one person: a download, by its id. */
const owned = routes.filter(({ base, path }) => base === '/youtube' && path.includes(':id'))

test('a download is there for whom it belongs to, and for nobody else, an admin included', async () => {
  const { token } = await friend.session()
  const response = await ask('POST', '/api/youtube/download', {
    token,
    json: { url: 'https://www.youtube.com/watch?v=ownershipA0' },
  })
  const { id, status } = (await expectData(response, 201, Made)).data
  expect(owned.length).toBeGreaterThan(1)
  for (const route of owned) {
    const { method, path, ask: options } = requestFor(route, { param: { id } })
    for (const stranger of [other, owner]) {
      const asked = { ...options, token: (await stranger.session()).token }
      await expectProblem(await ask(method, path, asked), 'not-found')
    }
  }
  const unchanged = await expectData(await ask('GET', `/api/youtube/downloads/${id}`, { token }), 200, Made)
  expect(unchanged.data.status).toBe(status)
  for (const stranger of [other, owner]) {
    const list = await ask('GET', '/api/youtube/downloads', { token: (await stranger.session()).token })
    expect(await list.text()).not.toContain(id)
  }
  await ask('POST', `/api/youtube/downloads/${id}/cancel`, { token })
})

test('a library that is not shared with someone is not there for them', async () => {
  const libraries = { [friend.userId]: '2', [other.userId]: '1' }
  for (const person of [friend, other]) {
    const { token } = await person.session()
    const path = `/api/plex/libraries/${libraries[person.userId]}/items`
    await expectProblem(await ask('GET', path, { token }), 'not-found')
  }
})
