import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  channelFolder,
  chooseIndex,
  editionMark,
  isSidecarOf,
  parsePlacedName,
  pathForPlex,
  safeName,
  seasonFolder,
  sidecarName,
  stemOf,
  withoutEnding,
  type Episode,
} from '../../downloader/naming.ts'
import { placeOf } from '../../downloader/removal.ts'

const episode = (changes: Partial<Episode> = {}): Episode => ({
  channel: 'A Channel',
  title: 'A Title',
  videoId: 'dQw4w9WgXcQ',
  date: '2025-07-04',
  ...changes,
})

const stemAt = (made: Episode, index: number) => stemOf(made, index, '/data/videos')

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.string({ unit: fc.constantFrom('.', '/', '\\', ' ', 'é', '🏳️‍🌈', '\u202e', '\0', 'n'), maxLength: 300 }),
)
const anyEpisode = fc.record({
  channel: text,
  title: text,
  videoId: fc.oneof(
    fc.stringMatching(/^[\w-]{1,64}$/),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
  ),
  date: fc
    .date({ min: new Date('1990-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
})

function expectSafe(name: string): void {
  expect(name).not.toBe('')
  expect(name).toBe(name.normalize('NFC'))
  expect(name).not.toMatch(/[/\\:*?"<>|\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u200e\u200f]/u)
  expect(name).not.toMatch(/^[.\s]|[.\s]$/)
  expect(name).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i)
}

test('any name is safe everywhere and leads nowhere else', () => {
  fc.assert(
    fc.property(anyEpisode, fc.integer({ min: 1, max: 250 }), (made, index) => {
      const channel = channelFolder(made)
      const stem = stemAt(made, index)
      expectSafe(channel)
      expectSafe(stem)
      expect(Buffer.byteLength(`${stem} - 2160p-thumb.jpg`)).toBeLessThanOrEqual(200)
      const version = `${stem}${editionMark('cut')} - 2160p`
      const sidecar = sidecarName(version, 'zh-Hant-TW', 'srt')
      expect(Buffer.byteLength(sidecar)).toBeLessThanOrEqual(200)
      expect(parsePlacedName(sidecar)).toEqual(parsePlacedName(`${stem}.mp4`))
      expect([withoutEnding(sidecar), isSidecarOf(version, sidecar), isSidecarOf(stem, sidecar)]).toEqual([
        stem,
        true,
        false,
      ])
      expect(Buffer.byteLength(channel)).toBeLessThanOrEqual(200)
    }),
    { numRuns: 500 },
  )
})

test('a name that was given is understood again', () => {
  const suffixes = ['.mp4', '.nfo', '-thumb.jpg', ' - 720p.mp4', ' - 720p-thumb.jpg']
  fc.assert(
    fc.property(anyEpisode, fc.integer({ min: 1, max: 250 }), (made, index) => {
      for (const suffix of suffixes.flatMap((end) => [end, editionMark('cut') + end])) {
        const name = stemAt(made, index) + suffix
        expect(withoutEnding(name)).toBe(stemAt(made, index))
        expect(parsePlacedName(name)).toMatchObject({ date: made.date, index })
        expect(chooseIndex([name], made)).toBe(index)
      }
    }),
  )
})

const pieces = 's2024e010199|S2024|E010199| - | |.|_|[fake]|.mp4|s|1|\u200b'.split('|')
const lookingLikeOurs = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join(''))

test('a channel that looks like a name of ours confuses neither us nor Plex', () => {
  const looking = fc.record({ channel: lookingLikeOurs, title: lookingLikeOurs })
  fc.assert(
    fc.property(anyEpisode, looking, fc.integer({ min: 1, max: 120 }), (any, like, index) => {
      const made = { ...any, ...like }
      const name = `${stemAt(made, index)}.mp4`
      const placed = parsePlacedName(name)
      expect(placed).toMatchObject({ date: made.date, index })
      expect(chooseIndex([name], made)).toBe(index)
      expect(chooseIndex([name], { ...made, videoId: 'another' })).toBe(index + 1)
      expect(`${channelFolder(made)} - `).not.toMatch(/s\d+[\s._-]*e\d/i)
      const path = ['/data/videos', channelFolder(made), seasonFolder(made.date), name].join('/')
      expect(placeOf(path, '/data/videos', name)).toBeDefined()
    }),
  )
  expect(channelFolder(episode({ channel: 's2024e010199 - x' }))).toBe('s2024ｅ010199 - x')
})

test('any other channel keeps its name', () => {
  for (const channel of ['A Channel', 'Season 2 Episode 4', 'Mars2Earth', 'E2024', 'Top 10s', 'S2 e-Sports'])
    expect(channelFolder(episode({ channel }))).toBe(channel)
})

test('a Plex server on Windows is given no path that it would pass over', () => {
  const library = fc.constantFrom('D:\\Media\\YouTube', '\\\\nas\\videos', `D:\\${'long\\'.repeat(14)}videos`)
  const wide = fc.record({
    channel: fc.oneof(text, fc.constant('C'.repeat(100))),
    title: fc.oneof(text, fc.constant('T'.repeat(300))),
    videoId: fc.stringMatching(/^[\w-]{11}$/),
  })
  fc.assert(
    fc.property(library, anyEpisode, wide, fc.integer({ min: 1, max: 250 }), (root, any, changes, index) => {
      const made = { ...any, ...changes }
      const stem = stemOf(made, index, root)
      const longest = sidecarName(`${stem}${editionMark('cut')} - 2160p`, 'zh-Hant-HK', 'srt')
      const path = pathForPlex(root, [channelFolder(made), seasonFolder(made.date), longest])
      expect(path.length).toBeLessThanOrEqual(259)
      expectSafe(stem)
      expect(parsePlacedName(longest)).toMatchObject({ date: made.date, index, id: made.videoId })
    }),
  )
  const named = stemOf(episode({ channel: 'C'.repeat(60), title: 'T'.repeat(300) }), 1, 'D:\\Media\\YouTube')
  expect(named).toBe(`${'C'.repeat(60)} - s2025e070401 - ${'T'.repeat(44)} [dQw4w9WgXcQ]`)
  expect(stemOf(episode(), 1, 'D:\\Media\\YouTube')).toBe(stemAt(episode(), 1))
})

test('the form is the one Plex reads', () => {
  expect(stemAt(episode(), 1)).toBe('A Channel - s2025e070401 - A Title [dQw4w9WgXcQ]')
  expect(stemAt(episode({ title: '' }), 12)).toBe('A Channel - s2025e070412 - dQw4w9WgXcQ [dQw4w9WgXcQ]')
})

test('what file systems refuse looks the same and is something else', () => {
  expect(safeName('AC/DC: back\\slash? | * "NUL" <b>', 100, '-')).toBe(
    'AC⧸DC： back⧹slash？ ｜ ＊ ＂NUL＂ ＜b＞',
  )
  expect(safeName('../../etc/passwd', 100, '-')).toBe('⧸..⧸etc⧸passwd')
  expect(safeName('...', 100, 'fallback')).toBe('fallback')
  for (const reserved of ['CON', 'CON ', 'CON.', 'CON . .', 'CON \u{1f3f3}'])
    expect(safeName(reserved, 5, '-')).toBe('CON_')
  expect(safeName('nul .txt', 100, '-')).toBe('nul_ .txt')
  expect(safeName('nul.txt', 100, '-')).toBe('nul_.txt')
  expect(safeName('evil\u202egpm.exe', 100, '-')).toBe('evilgpm.exe')
  expect(safeName('two\nlines\tand  more', 100, '-')).toBe('two lines and more')
  expect(safeName('e\u0301', 100, '-')).toBe('é')
  expect(safeName('e\u200b\u0301', 100, '-')).toBe('é')
})

test('a name is cut between characters as people see them', () => {
  expect(safeName('ab👨‍👩‍👧‍👦', 10, '-')).toBe('ab')
  expect(safeName('日本語', 7, '-')).toBe('日本')
})

test('ids that differ only in what is unsafe do not meet', () => {
  expect(stemAt(episode({ videoId: 'a/b' }), 1)).not.toBe(stemAt(episode({ videoId: 'a\\b' }), 1))
})

test('each video of a day has its own index and keeps it', () => {
  const names = [
    `${stemAt(episode({ videoId: 'first' }), 1)}.mp4`,
    `${stemAt(episode({ videoId: 'third' }), 3)}.nfo`,
    `${stemAt(episode({ videoId: 'other', date: '2025-07-05' }), 7)}.mp4`,
    'tvshow.nfo',
    'Thumbs.db',
  ]
  expect(chooseIndex([], episode())).toBe(1)
  expect(chooseIndex(names, episode())).toBe(4)
  expect(chooseIndex(names, episode({ videoId: 'first' }))).toBe(1)
  expect(chooseIndex(names, episode({ videoId: 'other' }))).toBe(4)
})

test('a title that looks like a name of ours does not confuse the index', () => {
  const tricky = episode({ videoId: 'real', title: 'x s2024e010199 - y [fake].mp4' })
  expect(parsePlacedName(`${stemAt(tricky, 2)}.mp4`)).toEqual({ date: '2025-07-04', index: 2, id: 'real' })
})

test('the path is written as the Plex server writes it', () => {
  expect(pathForPlex('/data/videos', ['A', 'b.mp4'])).toBe('/data/videos/A/b.mp4')
  expect(pathForPlex('D:\\Videos', ['A', 'b.mp4'])).toBe('D:\\Videos\\A\\b.mp4')
  expect(pathForPlex('\\\\nas\\videos', ['A', 'b.mp4'])).toBe('\\\\nas\\videos\\A\\b.mp4')
})
