import { expect, test } from 'vitest'

import { ask, expectProblem, signIn } from '../support/client.ts'

test('the owner of the server becomes an admin, a friend a user', async () => {
  const owner = await signIn('olivia')
  const friend = await signIn('frank')
  expect(owner.user.role).toBe('admin')
  expect(friend.user.role).toBe('user')
  const me = await ask('GET', '/api/auth/session', { token: friend.accessToken })
  expect(await me.json()).toMatchObject({ data: { user: { username: 'frank', role: 'user' } } })
})

test('libraries are those of the caller', async () => {
  const friend = await signIn('fatima')
  const response = await ask('GET', '/api/plex/libraries', { token: friend.accessToken })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-cache')).toBe('MISS')
  expect(await response.json()).toMatchObject({ meta: { count: 2 }, data: [{ key: '2' }, { key: '3' }] })
  const again = await ask('GET', '/api/plex/libraries', { token: friend.accessToken })
  expect(again.headers.get('x-cache')).toBe('HIT')
})

test('without a token nothing is told', async () => {
  await expectProblem(await ask('GET', '/api/plex/libraries'), 'unauthenticated')
})
