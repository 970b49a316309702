import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formats, qualities } from '#contract/options.ts'
import {
  downloadArguments,
  probeArguments,
  type DownloadOptions,
} from '../../../downloader/ytdlp/arguments.ts'

const options = (changes: Partial<DownloadOptions> = {}): DownloadOptions => ({
  nonce: '@nonce@',
  url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
  directory: '/library/.medianest/jobs/1',
  cacheDirectory: '/library/.medianest/cache',
  nodePath: '/usr/bin/node',
  ffmpegPath: 'ffmpeg',
  rateLimit: undefined,
  cookiesFile: undefined,
  proxy: undefined,
  quality: '1080p',
  format: 'mp4',
  ...changes,
})

const after = (args: readonly string[], option: string): string | undefined =>
  args.includes(option) ? args[args.indexOf(option) + 1] : undefined

const required = [
  '--ignore-config',
  '--no-plugin-dirs',
  '--no-update',
  '--no-remote-components',
  '--abort-on-error',
  '--abort-on-unavailable-fragments',
  '--no-playlist',
  '--windows-filenames',
  '--no-cookies-from-browser',
  '--no-exec',
]

const forbidden =
  /^(?:--exec|--netrc|--config-loc|--plugin-dirs|--downloader|--external|--batch|-a$|--load-info|--enable-file|--alias|--use-post|--print-to-file|--write-.*link)/

test('every run carries what keeps it from reading, running or updating anything of its own', () => {
  for (const quality of qualities) {
    for (const format of formats) {
      for (const args of [downloadArguments(options({ quality, format })), probeArguments(options())]) {
        expect(args).toEqual(expect.arrayContaining(required))
        expect(args.filter((arg) => forbidden.test(arg))).toEqual([])
        expect(after(args, '--color')).toBe('never')
        expect(after(args, '--playlist-items')).toBe('1')
        expect(after(args, '--js-runtimes')).toBe('node:/usr/bin/node')
        expect(after(args, '--proxy')).toBe('')
      }
    }
  }
})

const hostile = [
  '--exec=before_dl:touch x',
  '--exec',
  '-o/etc/passwd',
  '--batch-file=/etc/passwd',
  '--config-locations=/tmp/x',
  '-abcdefghij',
  '--',
  '; rm -rf ~',
  '$(touch x)',
  '`touch x`',
  'https://example.org/\n--exec\ntouch x',
  'ytsearch:anything',
  '',
]

test.each(hostile)('the address %j stays an address', (url) => {
  for (const args of [downloadArguments(options({ url })), probeArguments(options({ url }))]) {
    expect(args.slice(-3)).toEqual(['--no-exec', '--', url])
    const plain = downloadArguments(options())
    if (args.length === plain.length) expect(args.slice(0, -1)).toEqual(plain.slice(0, -1))
  }
})

test('no address changes anything but the last argument', () => {
  const plain = downloadArguments(options()).slice(0, -1)
  fc.assert(
    fc.property(fc.string(), (url) => {
      const args = downloadArguments(options({ url }))
      expect(args.at(-1)).toBe(url)
      expect(args.slice(0, -1)).toEqual(plain)
    }),
  )
})

test('files are made in the absolute folders of this job only', () => {
  const args = downloadArguments(options())
  const folders = args.flatMap((arg, index) => (arg === '-P' ? [args[index + 1]] : []))
  expect(folders).toEqual([
    'home:/library/.medianest/jobs/1/finished',
    'temp:/library/.medianest/jobs/1/partial',
  ])
  expect(after(args, '-o')).toBe('media.%(ext)s')
})

test('a height is preferred and not demanded', () => {
  for (const quality of qualities) {
    const args = downloadArguments(options({ quality }))
    const wanted = quality === 'best' ? 'res' : `res:${Number.parseInt(quality, 10)}`
    expect(after(args, '-S')?.split(',')[0]).toBe(wanted)
    expect(after(args, '-f')).toBe('bv*+ba/b')
  }
})

test('each format ends in its own container', () => {
  const container = (format: DownloadOptions['format']): string | undefined => {
    const args = downloadArguments(options({ format }))
    return after(args, '--remux-video') ?? after(args, '--recode-video') ?? after(args, '--audio-format')
  }
  expect(formats.map(container)).toEqual([...formats])
})

test('mp4 prefers what Plex plays directly, webm what is free', () => {
  expect(after(downloadArguments(options({ format: 'mp4' })), '-S')).toMatch(/vcodec:h264.*acodec:aac/)
  expect(after(downloadArguments(options({ format: 'webm' })), '-S')).toMatch(/vcodec:vp9.*acodec:opus/)
})

test('what the operator sets is passed on, and nothing of it when it is not set', () => {
  const args = downloadArguments(
    options({
      rateLimit: '500K',
      cookiesFile: '/job/cookies.txt',
      proxy: 'socks5://10.0.0.1:1080',
      ffmpegPath: '/opt/ffmpeg/bin/ffmpeg',
    }),
  )
  expect(after(args, '--limit-rate')).toBe('500K')
  expect(after(args, '--cookies')).toBe('/job/cookies.txt')
  expect(after(args, '--proxy')).toBe('socks5://10.0.0.1:1080')
  expect(after(args, '--ffmpeg-location')).toBe('/opt/ffmpeg/bin/ffmpeg')
  const plain = downloadArguments(options())
  for (const option of ['--limit-rate', '--cookies', '--ffmpeg-location']) expect(plain).not.toContain(option)
})
