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
  sidecarName,
  stemOf,
  withoutEnding,
  type Episode,
} from '../../downloader/naming.ts'

const episode = (changes: Partial<Episode> = {}): Episode => ({
  channel: 'A Channel',
  title: 'A Title',
  videoId: 'dQw4w9WgXcQ',
  date: '2025-07-04',
  ...changes,
})

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
      const stem = stemOf(made, index)
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
        const name = stemOf(made, index) + suffix
        expect(withoutEnding(name)).toBe(stemOf(made, index))
        expect(parsePlacedName(name)).toMatchObject({ date: made.date, index })
        expect(chooseIndex([name], made)).toBe(index)
      }
    }),
  )
})

test('the form is the one Plex reads', () => {
  expect(stemOf(episode(), 1)).toBe('A Channel - s2025e070401 - A Title [dQw4w9WgXcQ]')
  expect(stemOf(episode({ title: '' }), 12)).toBe('A Channel - s2025e070412 - dQw4w9WgXcQ [dQw4w9WgXcQ]')
})

test('what file systems refuse looks the same and is something else', () => {
  expect(safeName('AC/DC: back\\slash? | * "NUL" <b>', 100, '-')).toBe(
    'AC⧸DC： back⧹slash？ ｜ ＊ ＂NUL＂ ＜b＞',
  )
  expect(safeName('../../etc/passwd', 100, '-')).toBe('⧸..⧸etc⧸passwd')
  expect(safeName('...', 100, 'fallback')).toBe('fallback')
  expect(safeName('CON', 100, '-')).toBe('CON_')
  expect(safeName('nul.txt', 100, '-')).toBe('nul_.txt')
  expect(safeName('evil\u202egpm.exe', 100, '-')).toBe('evilgpm.exe')
  expect(safeName('two\nlines\tand  more', 100, '-')).toBe('two lines and more')
  expect(safeName('e\u0301', 100, '-')).toBe('é')
})

test('a name is cut between characters as people see them', () => {
  expect(safeName('ab👨‍👩‍👧‍👦', 10, '-')).toBe('ab')
  expect(safeName('日本語', 7, '-')).toBe('日本')
})

test('ids that differ only in what is unsafe do not meet', () => {
  expect(stemOf(episode({ videoId: 'a/b' }), 1)).not.toBe(stemOf(episode({ videoId: 'a\\b' }), 1))
})

test('each video of a day has its own index and keeps it', () => {
  const names = [
    `${stemOf(episode({ videoId: 'first' }), 1)}.mp4`,
    `${stemOf(episode({ videoId: 'third' }), 3)}.nfo`,
    `${stemOf(episode({ videoId: 'other', date: '2025-07-05' }), 7)}.mp4`,
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
  expect(parsePlacedName(`${stemOf(tricky, 2)}.mp4`)).toEqual({ date: '2025-07-04', index: 2, id: 'real' })
})

test('the path is written as the Plex server writes it', () => {
  expect(pathForPlex('/data/videos', ['A', 'b.mp4'])).toBe('/data/videos/A/b.mp4')
  expect(pathForPlex('D:\\Videos', ['A', 'b.mp4'])).toBe('D:\\Videos\\A\\b.mp4')
  expect(pathForPlex('\\\\nas\\videos', ['A', 'b.mp4'])).toBe('\\\\nas\\videos\\A\\b.mp4')
})
