import fc from 'fast-check'
import { expect, test } from 'vitest'

import { folded, folderOf, holds, libraryHolding, mapped, scanFolder } from '../../../src/plex/location.ts'

test('a location holds itself and what is inside, up to a whole segment', () => {
  expect(holds('/media/tv', '/media/tv')).toBe(true)
  expect(holds('/media/tv', '/media/tv/')).toBe(true)
  expect(holds('/media/tv/', '/media/tv/Show/Season 01')).toBe(true)
  expect(holds('/media/tv', '/media/tv2')).toBe(false)
  expect(holds('/media/tv', '/media')).toBe(false)
  expect(holds('/media/tv', '/media/TV')).toBe(false)
  expect(holds('/', '/anything')).toBe(true)
})

test('no path gets out by dots', () => {
  for (const path of ['/media/tv/../movies', '/media/tv/./x', '/media/tv/..', 'C:\\Media\\..\\Windows']) {
    expect(holds('/media/tv', path)).toBe(false)
    expect(holds('C:\\Media', path)).toBe(false)
  }
  expect(holds('/media/tv', '/media/tv/..hidden')).toBe(true)
})

test('Windows has two slashes and no letter case', () => {
  expect(holds('C:\\Media\\TV', 'c:/media/tv/Show')).toBe(true)
  expect(holds('D:\\', 'D:\\Films')).toBe(true)
  expect(holds('C:\\Media\\TV', 'C:\\Media\\TV2')).toBe(false)
  expect(holds('\\\\nas\\media', '\\\\NAS\\Media\\Films')).toBe(true)
  expect(folderOf('C:\\Media\\Film.mkv')).toBe('C:\\Media')
})

test('letters compare however they are composed', () => {
  expect(holds('/media/Ame\u0301lie', '/media/Am\u00e9lie/x')).toBe(true)
})

test('of a file it is the folder that is scanned, of a folder the folder', () => {
  expect(scanFolder('/media/movies/Film (2020)/Film (2020).mkv')).toBe('/media/movies/Film (2020)')
  expect(scanFolder('C:\\Media\\Film.MP4')).toBe('C:\\Media')
  expect(scanFolder('/media/movies/Mr. Robot.S01')).toBe('/media/movies/Mr. Robot.S01')
  expect(scanFolder('/media/tv')).toBe('/media/tv')
  expect(scanFolder('/media/tv/Show.nfo')).toBe('/media/tv')
  expect(scanFolder('/media/Film.mkv/')).toBe('/media/Film.mkv/')
  expect(scanFolder('/Film.mkv')).toBe('/')
  expect(scanFolder('C:\\Film.mkv')).toBe('C:\\')
})

test('needless slashes change nothing', () => {
  expect(holds('/media//tv/', '/media/tv///Show')).toBe(true)
  expect(holds('\\\\nas\\media', '\\nas\\media')).toBe(false)
})

const rules = [
  { from: '/data', to: '/mnt/data' },
  { from: '/data/tv', to: 'D:\\TV\\' },
  { from: 'C:\\Films', to: '/media/films' },
]

test('a path is rewritten by the rule with the longest beginning, in the spelling of the Plex server', () => {
  expect(mapped('/data/films/A', rules)).toBe('/mnt/data/films/A')
  expect(mapped('/data/tv/Show/Season 1', rules)).toBe('D:\\TV\\Show\\Season 1')
  expect(mapped('/data/tv', rules)).toBe('D:\\TV\\')
  expect(mapped('/data/tv2/Show', rules)).toBe('/mnt/data/tv2/Show')
  expect(mapped('c:/films/A (2000)', rules)).toBe('/media/films/A (2000)')
  expect(mapped('/elsewhere/A', rules)).toBe('/elsewhere/A')
  expect(mapped('/data/../etc', rules)).toBe('/data/../etc')
})

test('the library with the longest location wins, however it is spelt', () => {
  const places = [
    { libraryKey: '1', type: 'movie', title: '', locations: ['/media///////', '/other'] },
    { libraryKey: '2', type: 'show', title: '', locations: ['/media/tv'] },
    { libraryKey: '3', type: 'movie', title: '', locations: ['/media/tv2'] },
  ]
  expect(libraryHolding('/media/tv/Show', places)?.libraryKey).toBe('2')
  expect(libraryHolding('/media/tv2/Show', places)?.libraryKey).toBe('3')
  expect(libraryHolding('/media/films', places)?.libraryKey).toBe('1')
  expect(libraryHolding('/elsewhere', places)).toBeUndefined()
})

const segment = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[\\/]|^\.{1,2}$/.test(text))
const segments = fc.array(segment, { minLength: 1, maxLength: 4 })
const systems = [
  (parts: readonly string[]) => `/${parts.join('/')}`,
  (parts: readonly string[]) => `C:\\${parts.join('\\')}`,
]
const spell = fc.constantFrom(...systems)

test('a folder holds exactly what its segments begin', () => {
  fc.assert(
    fc.property(spell, segments, segments, (spelling, outer, more) => {
      const location = spelling(outer)
      expect(holds(location, spelling([...outer, ...more]))).toBe(true)
      expect(holds(location, `${location}2`)).toBe(false)
      expect(holds(spelling([...outer, ...more]), location)).toBe(false)
    }),
  )
})

test('what holds a path is never beaten by what is shorter or holds it not', () => {
  fc.assert(
    fc.property(fc.array(segments, { minLength: 1, maxLength: 6 }), segments, (locations, path) => {
      const [spelling] = systems
      const places = locations.map((parts, index) => ({
        libraryKey: String(index),
        type: 'movie',
        title: '',
        locations: [spelling?.(parts) ?? ''],
      }))
      const asked = spelling?.(path) ?? ''
      const [chosen] = libraryHolding(asked, places)?.locations ?? []
      const holding = places.flatMap((place) => place.locations).filter((location) => holds(location, asked))
      expect(chosen !== undefined).toBe(holding.length > 0)
      for (const other of holding)
        expect(folded(chosen ?? '').length).toBeGreaterThanOrEqual(folded(other).length)
    }),
  )
})

test('a file is inside its folder', () => {
  fc.assert(
    fc.property(spell, segments, segment, (spelling, folder, name) => {
      expect(folderOf(spelling([...folder, name]))).toBe(spelling(folder))
    }),
  )
})
