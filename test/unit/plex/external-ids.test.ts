import { expect, test } from 'vitest'

import { externalIdsOf } from '../../../src/plex/external-ids.ts'
import { linksTo } from '../../../src/plex/links.ts'

test('an item names itself as other catalogues do', () => {
  const Guid = [
    { id: 'imdb://tt0017136' },
    { id: 'tmdb://19' },
    { id: 'tvdb://1234' },
    { id: 'mbid://x' },
    null,
  ]
  expect(externalIdsOf({ Guid, guid: 'plex://movie/5d7768' })).toEqual({
    imdb: 'tt0017136',
    tmdb: '19',
    tvdb: '1234',
  })
})

for (const [guid, ids] of [
  ['com.plexapp.agents.imdb://tt0012349?lang=en', { imdb: 'tt0012349' }],
  ['com.plexapp.agents.themoviedb://19?lang=de', { tmdb: '19' }],
  ['com.plexapp.agents.thetvdb://81189?lang=en', { tvdb: '81189' }],
  ['com.plexapp.agents.thetvdb://81189/1/2?lang=en', undefined],
  ['com.plexapp.agents.none://0123abcd?lang=xn', undefined],
  ['local://12', undefined],
  ['imdb://javascript:alert(1)', undefined],
  ['imdb://tt0012349"><script>', undefined],
  ['', undefined],
] as const) {
  test(`the guid ${JSON.stringify(guid)} of an older agent is ${ids ? 'read' : 'none'}`, () => {
    expect(externalIdsOf({ guid })).toEqual(ids)
  })
}

test('an id of today goes before one of old', () => {
  const guid = 'com.plexapp.agents.imdb://tt1111111?lang=en'
  expect(externalIdsOf({ guid, Guid: { id: 'imdb://tt2222222' } })).toEqual({ imdb: 'tt2222222' })
})

test('links open the item in a browser and in an app, a collection where collections are', () => {
  expect(linksTo('abc', '7')).toEqual({
    web: 'https://app.plex.tv/desktop/#!/server/abc/details?key=%2Flibrary%2Fmetadata%2F7',
    app: 'plex://preplay/?metadataKey=%2Flibrary%2Fmetadata%2F7&server=abc',
  })
  expect(linksTo('abc', '7', 'collection').web).toMatch(/%2Flibrary%2Fcollections%2F7$/)
  expect(() => linksTo('abc', '\ud800')).not.toThrow()
})
