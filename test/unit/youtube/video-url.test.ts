import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parsePlaylistUrl, parseVideoUrl, shortId, youtubeHosts } from '../../../src/youtube/video-url.ts'

const id = 'dQw4w9WgXcQ'
const canonical = { id, url: `https://www.youtube.com/watch?v=${id}` }
const parse = (text: string) => parseVideoUrl(text, ['videos.example.org', '127.0.0.1:9000'])

test.each([
  `https://www.youtube.com/watch?v=${id}`,
  `https://youtube.com/watch?v=${id}`,
  `http://youtube.com/watch?v=${id}`,
  `https://youtube.com:443/watch?v=${id}`,
  `https://m.youtube.com/watch?v=${id}&t=42s`,
  `https://music.youtube.com/watch?v=${id}&list=RDAMVM${id}`,
  `https://www.youtube.com/watch?list=PL123&index=4&v=${id}#t=1`,
  `https://www.youtube.com/watch/?v=${id}`,
  `https://youtu.be/${id}`,
  `https://youtu.be/${id}?si=abcdef`,
  `https://youtu.be/${id}/`,
  `https://www.youtube.com/shorts/${id}`,
  `https://www.youtube.com/shorts/${id}?feature=share`,
  `https://www.youtube.com/live/${id}`,
  `https://www.youtube.com/embed/${id}?autoplay=1`,
  `HTTPS://WWW.YouTube.COM/watch?v=${id}`,
])('%s is the video', (text) => {
  expect(parse(text)).toEqual(canonical)
})

test('an id may begin with a dash or an underscore, and keeps its letters’ case', () => {
  expect(parse('https://youtu.be/-AbCdEfGhI_')).toEqual({
    id: '-AbCdEfGhI_',
    url: 'https://www.youtube.com/watch?v=-AbCdEfGhI_',
  })
})

test.each([
  '--exec=touch /tmp/x',
  `--exec=touch https://youtu.be/${id}`,
  'file:///etc/passwd',
  `ftp://youtube.com/watch?v=${id}`,
  'data:text/html,hello',
  'javascript:alert(1)',
  `//youtube.com/watch?v=${id}`,
  `youtube.com/watch?v=${id}`,
  id,
  '',
  'https://',
  'http://127.0.0.1/video.mp4',
  'http://127.0.0.1:9001/video.mp4',
  'http://localhost/video.mp4',
  'http://[::1]/video.mp4',
  'http://[::ffff:127.0.0.1]:9000/video.mp4',
  'http://192.168.1.10/video.mp4',
  'http://10.0.0.1/video.mp4',
  'http://169.254.169.254/latest/meta-data/',
  'http://2130706433/video.mp4',
  'http://0x7f.1/video.mp4',
  `https://evil.example/?youtube.com/watch?v=${id}`,
  `https://evil.example/#https://youtube.com/watch?v=${id}`,
  `https://youtube.com.evil/watch?v=${id}`,
  `https://youtube.com.evil.example/watch?v=${id}`,
  `https://notyoutube.com/watch?v=${id}`,
  `https://evil.youtube.com/watch?v=${id}`,
  `https://www.youtube.com./watch?v=${id}`,
  `https://youtube.com@evil.example/watch?v=${id}`,
  `https://user@youtube.com/watch?v=${id}`,
  `https://user:secret@www.youtube.com/watch?v=${id}`,
  `https://user@videos.example.org/film.mp4`,
  `https://www.youtube.com:8443/watch?v=${id}`,
  `https://www.youtube.com:80/watch?v=${id}`,
  'https://www.youtube.com/watch',
  'https://www.youtube.com/watch?v=',
  'https://www.youtube.com/watch?v=short',
  `https://www.youtube.com/watch?v=${id}x`,
  `https://www.youtube.com/watch?V=${id}`,
  'https://www.youtube.com/watch?v=abc%00efghijk',
  'https://www.youtube.com/watch?v=abcdef%2Fhijk',
  `https://www.youtube.com/watch/${id}`,
  `https://www.youtube.com/playlist?list=PL0123456789`,
  `https://www.youtube.com/@channel`,
  'https://www.youtube.com/embed/videoseries?list=PL0123456789',
  'https://www.youtube.com/embed/live_stream?channel=UC0123456789',
  `https://www.youtube.com/shorts/${id}/comments`,
  `https://www.youtube.com/shorts/`,
  `https://youtu.be/a/b`,
  `https://youtu.be/${id}/b`,
  `https://youtu.be/?v=${id}`,
  `https://youtu.be/watch?v=${id}`,
  ` https://youtu.be/${id}`,
  `https://youtu.be/${id}\n`,
  `https://youtu.be/${id}\0`,
  `https://you\ntube.com/watch?v=${id}`,
  `https://youtube.com/wa\ttch?v=${id}`,
  `https://youtube.com/watch?v=${id}\u2028--exec`,
  `https:\\\\youtube.com\\watch?v=${id}`,
  `https://youtube.com\\@evil.example/watch?v=${id}`,
  // A Cyrillic у and о, and a dotless ı.
  `https://уoutube.com/watch?v=${id}`,
  `https://youtubе.com/watch?v=${id}`,
  `https://yоutu.be/${id}`,
  'https://vıdeos.example.org/film.mp4',
  'https://videos.example.org:8443/film.mp4',
  'https://sub.videos.example.org/film.mp4',
  'https://videos.example.org.evil.example/film.mp4',
])('%j is refused', (text) => {
  expect(parse(text)).toBeUndefined()
})

test('without allowed hosts only YouTube is left', () => {
  expect(parseVideoUrl('https://videos.example.org/film.mp4', [])).toBeUndefined()
  expect(parseVideoUrl(canonical.url, [])).toEqual(canonical)
})

test('an allowed host is allowed exactly, with its port, and keeps what tells its videos apart', () => {
  expect(parse('https://videos.example.org/film.mp4?part=2#t=1')).toEqual({
    id: 'videos.example.org/film.mp4?part=2',
    url: 'https://videos.example.org/film.mp4?part=2',
  })
  expect(parse('http://127.0.0.1:9000/watch/sample')).toEqual({
    id: '127.0.0.1:9000/watch/sample',
    url: 'http://127.0.0.1:9000/watch/sample',
  })
})

test('an id is never longer than ids may be, and stays different when it is cut', async () => {
  const long = `videos.example.org/${'a'.repeat(2_000)}`
  const [one, other] = [await shortId(`${long}1`), await shortId(`${long}2`)]
  expect([one.length, other.length]).toEqual([64, 64])
  expect(one).not.toBe(other)
  expect(await shortId(`${long}1`)).toBe(one)
  expect(await shortId(id)).toBe(id)
})

const list = 'PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf'
const ofList = { id: list, url: `https://www.youtube.com/playlist?list=${list}` }

test.each([
  `https://www.youtube.com/playlist?list=${list}`,
  `https://youtube.com/playlist/?list=${list}&si=x`,
  `https://music.youtube.com/playlist?list=${list}`,
  `https://www.youtube.com/watch?v=${id}&list=${list}&index=3`,
  `https://youtu.be/${id}?list=${list}`,
  `https://www.youtube.com/embed/${id}?list=${list}`,
  `https://www.youtube.com/embed/videoseries?list=${list}`,
])('%s names the playlist', (text) => {
  expect(parsePlaylistUrl(text, [])).toEqual(ofList)
})

test.each([
  `https://www.youtube.com/playlist?list=`,
  `https://www.youtube.com/playlist?list=${list}%20--exec`,
  `https://www.youtube.com/playlist?list=${'P'.repeat(65)}`,
  `https://www.youtube.com/playlists?list=${list}`,
  `https://www.youtube.com/@cats?list=${list}`,
  `https://www.youtube.com/embed/live_stream?channel=UC0123456789&list=${list}`,
  `https://www.youtube.com/watch?list=${list}`,
  `https://www.youtube.com/watch?v=${id}`,
  `https://evil.example/playlist?list=${list}`,
  `https://user@www.youtube.com/playlist?list=${list}`,
  `https://www.youtube.com:8443/playlist?list=${list}`,
  `ftp://www.youtube.com/playlist?list=${list}`,
  ` https://www.youtube.com/playlist?list=${list}`,
  `https://www.youtube.com/playlist?list=${list}\n`,
  list,
])('%j names no playlist', (text) => {
  expect(parsePlaylistUrl(text, ['videos.example.org'])).toBeUndefined()
})

test('on an allowed host a playlist is an address like any other', () => {
  const url = 'https://videos.example.org/list/1'
  expect(parsePlaylistUrl(`${url}#top`, ['videos.example.org'])).toEqual({
    id: 'videos.example.org/list/1',
    url,
  })
})

test('no string makes it throw, and what it accepts is YouTube’s or allowed', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc
      .tuple(fc.constantFrom(...youtubeHosts), fc.string(), fc.string())
      .map(([host, before, after]) => `https://${before}${host}${after}`),
    fc.string({ unit: 'binary' }).map((id) => `https://www.youtube.com/playlist?list=${id}`),
  )
  fc.assert(
    fc.property(text, (candidate) => {
      const playlist = parsePlaylistUrl(candidate, [])
      if (playlist) expect(playlist.url).toMatch(/^https:\/\/www\.youtube\.com\/playlist\?list=[\w-]{2,64}$/)
      const video = parse(candidate)
      if (!video) return
      const { protocol, host, username, hash } = new URL(video.url)
      expect(['https:', 'http:']).toContain(protocol)
      expect(['www.youtube.com', 'videos.example.org', '127.0.0.1:9000']).toContain(host)
      expect([username, hash]).toEqual(['', ''])
      if (host === 'www.youtube.com') expect(video.id).toMatch(/^[\w-]{11}$/)
    }),
    { numRuns: 2_000 },
  )
})

test('every address of a video gives the same id, whatever else it carries', () => {
  const forms = [
    (v: string) => `https://youtu.be/${v}?`,
    (v: string) => `https://www.youtube.com/watch?v=${v}&`,
    (v: string) => `https://music.youtube.com/watch?v=${v}&`,
    (v: string) => `https://m.youtube.com/shorts/${v}?`,
    (v: string) => `https://youtube.com/live/${v}?`,
    (v: string) => `https://www.youtube.com/embed/${v}?`,
  ]
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\w-]{11}$/),
      fc.constantFrom(...forms),
      fc.webQueryParameters().filter((query) => !/(?:^|&)v=/.test(query)),
      (video, form, query) => {
        expect(parse(`${form(video)}${query}`)).toEqual({
          id: video,
          url: `https://www.youtube.com/watch?v=${video}`,
        })
      },
    ),
  )
})
