import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkPlaylistTarget, checkTarget, parseAllowedHosts } from '../../../downloader/ytdlp/target.ts'

const canonical = 'https://www.youtube.com/watch?v=dQw4w9WgXcQ'

test.each([
  canonical,
  'http://youtube.com/watch?v=dQw4w9WgXcQ&list=PL123&t=5',
  'https://m.youtube.com/watch?v=dQw4w9WgXcQ#--exec',
  'https://music.youtube.com/watch?v=dQw4w9WgXcQ',
  'https://youtu.be/dQw4w9WgXcQ?si=abc',
  'https://www.youtube.com/shorts/dQw4w9WgXcQ',
  'https://www.youtube.com/live/dQw4w9WgXcQ',
  'https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1',
])('%s becomes the one address of the video', (url) => {
  expect(checkTarget(url, [])).toEqual({
    ok: true,
    target: { url: canonical, youtube: true, host: 'www.youtube.com' },
  })
})

test.each([
  ['https://www.youtube.com/playlist?list=PL1234567890', 'PL1234567890'],
  ['http://m.youtube.com/playlist?list=OLAK5uy_k-x&si=abc#--exec', 'OLAK5uy_k-x'],
])('%s becomes the one address of the playlist', (url, id) => {
  expect(checkPlaylistTarget(url, [])).toEqual({
    ok: true,
    target: { url: `https://www.youtube.com/playlist?list=${id}`, youtube: true, host: 'www.youtube.com' },
  })
})

test.each([
  'https://www.youtube.com/playlist',
  'https://www.youtube.com/playlist?list=x',
  `https://www.youtube.com/playlist?list=${'x'.repeat(65)}`,
  'https://www.youtube.com/playlist?list=PL12%0a--exec',
  'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
  'https://www.youtube.com/@channel/videos',
  'https://videos.example/playlist?list=PL1234567890',
  '--exec=touch x',
])('%j is no playlist', (url) => {
  expect(checkPlaylistTarget(url, [])).toEqual({ ok: false, code: 'unsupported-url' })
})

test('a playlist of an allowed host is taken as it is, one of a private address is refused', () => {
  const url = 'https://videos.example/feed?x=1'
  expect(checkPlaylistTarget(url, ['videos.example'])).toEqual({
    ok: true,
    target: { url, youtube: false, host: 'videos.example' },
  })
  expect(checkPlaylistTarget('http://10.0.0.1/playlist?list=PL12', [])).toEqual({
    ok: false,
    code: 'refused-address',
  })
})

test.each([
  'file:///etc/passwd',
  'ftp://youtube.com/watch?v=dQw4w9WgXcQ',
  'javascript:alert(1)',
  'data:text/html,x',
  'ytsearch:cats',
  '--exec=touch x',
  '-abcdefghij',
  '',
  ' https://www.youtube.com/watch?v=dQw4w9WgXcQ',
  'https://www.youtube.com/watch?v=dQw4w9\nWgXcQ',
  'https://user:secret@www.youtube.com/watch?v=dQw4w9WgXcQ',
  'https://www.youtube.com:8443/watch?v=dQw4w9WgXcQ',
  'https://www.youtube.com/watch?v=short',
  'https://www.youtube.com/watch?v=dQw4w9WgXcQ0',
  'https://www.youtube.com/playlist?list=PL1234567890',
  'https://www.youtube.com/embed/videoseries?list=PL1234567890',
  'https://www.youtube.com/embed/live_stream?channel=UC1234567890',
  'https://www.youtube.com/@channel',
  'https://www.youtube.com.evil.example/watch?v=dQw4w9WgXcQ',
  'https://evil.example/https://www.youtube.com/watch?v=dQw4w9WgXcQ',
  'https://notyoutube.com/watch?v=dQw4w9WgXcQ',
  'https://vimeo.com/1234',
])('%j is not supported', (url) => {
  expect(checkTarget(url, [])).toEqual({ ok: false, code: 'unsupported-url' })
})

test.each([
  'http://127.0.0.1/x',
  'http://127.0.0.1:32400/web',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://0.0.0.0/',
  'http://10.1.2.3/',
  'http://172.31.255.255/',
  'http://192.168.1.10:8080/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fd00::1]/',
  'http://[fe80::1]/',
  'http://localhost/',
  'http://localhost.:8080/',
  'http://plex/',
  'http://nas.local/',
  'http://router.home.arpa/',
  'http://db.internal/',
])('%s is refused as an address of a private network', (url) => {
  expect(checkTarget(url, [])).toEqual({ ok: false, code: 'refused-address' })
})

test('a listed host is allowed on the listed port only', () => {
  const { hosts, wrong } = parseAllowedHosts('videos.example, 127.0.0.1:8080, [::1]:9000, Media.Example:443')
  expect(wrong).toEqual([])
  const allowed = (url: string): boolean => checkTarget(url, hosts).ok
  expect(allowed('https://videos.example/a')).toBe(true)
  expect(allowed('http://videos.example/a')).toBe(true)
  expect(allowed('http://videos.example:8080/a')).toBe(false)
  expect(allowed('http://127.0.0.1:8080/a')).toBe(true)
  expect(allowed('http://127.0.0.1/a')).toBe(false)
  expect(allowed('http://[::1]:9000/a')).toBe(true)
  expect(allowed('https://media.example/a')).toBe(true)
  expect(allowed('http://media.example/a')).toBe(false)
  expect(allowed('http://sub.videos.example/a')).toBe(false)
})

test('orders to yt-dlp hidden in the fragment are cut off', () => {
  expect(checkTarget('https://videos.example/a?b=c#__youtubedl_smuggle=x', ['videos.example'])).toEqual({
    ok: true,
    target: { url: 'https://videos.example/a?b=c', youtube: false, host: 'videos.example' },
  })
})

test('entries that are no hosts are named', () => {
  const { hosts, wrong } = parseAllowedHosts(
    'https://a.example, *.b.example, c.example/path, d.example:99x,,e.example',
  )
  expect(wrong).toEqual(['https://a.example', '*.b.example', 'c.example/path', 'd.example:99x'])
  expect(hosts).toEqual(['e.example'])
})

test('whatever passes is http, has no credentials, and is on a host that was allowed', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string()),
      (text) => {
        const check = checkTarget(text, ['videos.example'])
        if (!check.ok) return
        const url = new URL(check.target.url)
        expect(['http:', 'https:']).toContain(url.protocol)
        expect(url.username + url.password + url.hash).toBe('')
        expect(['www.youtube.com', 'videos.example']).toContain(url.hostname)
      },
    ),
  )
})
