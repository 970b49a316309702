import { expect, test } from 'vitest'
import { asFriend, fields, startPlex, withQuery, type Container } from './plex-caller.ts'

const hub = ({ Hub }: Container, type: string) => Hub.find((row) => row['type'] === type)

test('every hub is there, the empty ones without a list', async () => {
  const { container } = await startPlex()
  const found = await container('/hubs/search?query=gromit')

  expect(found.Hub).toHaveLength(17)
  expect(hub(found, 'movie')).toMatchObject({
    size: 1,
    Metadata: [{ librarySectionID: 1, score: '0.52000' }],
  })
  expect(hub(found, 'photo')).toMatchObject({ size: 0, more: false })
  expect(hub(found, 'photo')).not.toHaveProperty('Metadata')
  expect(hub(found, 'photo')).not.toHaveProperty('Directory')
})

test('the limit is for each hub: three unless stated, nought for all', async () => {
  const { container } = await startPlex()
  const size = async (query: Record<string, string>) =>
    hub(await container(withQuery('/hubs/search', { query: 'episode', ...query })), 'episode')?.['size']

  expect(await size({})).toBe(3)
  expect(await size({ limit: '5' })).toBe(5)
  expect(await size({ limit: '0' })).toBe(49)
})

test('a blank query and an unknown section are refused, one letter finds nothing', async () => {
  const { call, container } = await startPlex()

  for (const query of ['query=', 'query=%20', '', 'query=moon&sectionId=0', 'query=moon&sectionId=9']) {
    const answer = await call(`/hubs/search?${query}`)
    expect(answer.status, query).toBe(400)
    expect(await answer.text()).toContain('<h1>400 Bad Request</h1>')
  }
  expect((await call('/hubs/search?query=moon&sectionId=1', asFriend)).status).toBe(400)
  const single = await container('/hubs/search?query=m')
  expect(new Set(fields(single.Hub, 'size'))).toEqual(new Set([0]))
})

test('a section re-ranks and hides nothing', async () => {
  const { container } = await startPlex()
  const persons = async (sectionId: string) => {
    const found = hub(
      await container(withQuery('/hubs/search', { query: 'vincent price', sectionId })),
      'actor',
    )
    return found?.['Directory']
  }

  expect(await persons('1')).toMatchObject([{ librarySectionID: 1 }, { librarySectionID: 2 }])
  expect(await persons('2')).toMatchObject([{ librarySectionID: 2 }, { librarySectionID: 1 }])
})

test('a person is there once for each section, with one tag key', async () => {
  const { container } = await startPlex()
  const found = hub(await container('/hubs/search?query=vincent'), 'actor')
  const rows = found?.['Directory']

  expect(rows).toMatchObject([
    { tag: 'Vincent Price', type: 'tag', tagType: 6, count: 2 },
    { tag: 'Vincent Price', type: 'tag', tagType: 6, count: 1 },
  ])
  expect(new Set(Array.isArray(rows) ? rows.map((row) => row.tagKey) : []).size).toBe(1)
})

test('collections are tags without a rating key unless they are asked for', async () => {
  const { container } = await startPlex()
  const tags = hub(await container('/hubs/search?query=animation'), 'collection')
  const rows = hub(await container('/hubs/search?query=animation&includeCollections=1'), 'collection')

  expect(tags?.['Directory']).toMatchObject([{ tag: 'Animation Night' }])
  expect(JSON.stringify(tags)).not.toContain('ratingKey')
  expect(rows?.['Metadata']).toMatchObject([{ title: 'Animation Night', ratingKey: expect.any(String) }])
})

test('a search finds nothing of a section the token does not see', async () => {
  const { container } = await startPlex()
  const found = await container('/hubs/search?query=metropolis', asFriend)
  expect(new Set(fields(found.Hub, 'size'))).toEqual(new Set([0]))
})

test('the newer search has one list, with scores as numbers and as strings', async () => {
  const { container } = await startPlex()
  const found = await container('/library/search?query=vincent%20price&searchTypes=movies,tv,people')
  const items = await container('/library/search?query=metropolis')
  expect(found['SearchResult']).toMatchObject([{ score: '0.90000', Directory: { tag: 'Vincent Price' } }, {}])
  expect(items['SearchResult']).toMatchObject([{ score: 0.9, Metadata: { title: 'Metropolis' } }])
})
