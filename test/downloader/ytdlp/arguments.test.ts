import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DownloadExtras, formats, isAudio, qualities } from '#contract/options.ts'
import {
  downloadArguments,
  playlistArguments,
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
  sponsorBlockApi: undefined,
  quality: '1080p',
  format: 'mp4',
  extras: { chapters: true, thumbnail: true },
  ...changes,
})

const after = (args: readonly string[], option: string): string | undefined =>
  args.includes(option) ? args[args.indexOf(option) + 1] : undefined

const required = [
  '--ignore-config',
  '--no-plugin-dirs',
  '--no-update',
  '--no-remote-components',
  '--abort-on-unavailable-fragments',
  '--windows-filenames',
  '--no-cookies-from-browser',
  '--no-exec',
]

const forbidden =
  /^(?:--exec|--netrc|--config-loc|--plugin-dirs|--downloader|--external|--batch|-a$|--load-info|--enable-file|--alias|--use-post|--print-to-file|--write-.*link)/

test('every run carries what keeps it from reading, running or updating anything of its own', () => {
  for (const quality of qualities) {
    for (const format of formats) {
      for (const args of [
        downloadArguments(options({ quality, format })),
        probeArguments(options()),
        playlistArguments({ ...options(), limit: 20 }),
      ]) {
        expect(args).toEqual(expect.arrayContaining(required))
        expect(args.filter((arg) => forbidden.test(arg))).toEqual([])
        expect(after(args, '--color')).toBe('never')
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

test('one video is taken, or the first videos of a list are named', () => {
  for (const args of [downloadArguments(options()), probeArguments(options())]) {
    expect(args).toContain('--no-playlist')
    expect(after(args, '--playlist-items')).toBe('1')
  }
  const list = playlistArguments({ ...options(), limit: 20 })
  expect(after(list, '--playlist-items')).toBe('1:20')
  expect(list).toEqual(expect.arrayContaining(['--flat-playlist', '--yes-playlist', '--simulate']))
})

test('a height is preferred and not demanded', () => {
  for (const quality of qualities) {
    const args = downloadArguments(options({ quality }))
    const wanted = quality === 'best' ? 'res' : `res:${Number.parseInt(quality, 10)}`
    expect(after(args, '-S')?.split(',')[0]).toBe(wanted)
    expect(after(args, '-f')?.split('/').slice(-2)).toEqual(['bv*+ba', 'b'])
  }
})

test('what is too long for the frame is not taken, unless there is nothing else', () => {
  const forms = (quality: DownloadOptions['quality']) => after(downloadArguments(options({ quality })), '-f')
  const frame = '[width<=?2112][height<=?2112]'
  expect(forms('1080p')).toBe(`bv*${frame}+ba/b${frame}/bv*+ba/b`)
  expect(forms('480p')).toContain('[width<=?938]')
  expect(forms('best')).toBe('bv*+ba/b')
  expect(after(downloadArguments(options({ format: 'mp3' })), '-f')).toBe('ba/b')
})

test('each format ends in its own container', () => {
  const container = (format: DownloadOptions['format']): string | undefined => {
    const args = downloadArguments(options({ format }))
    return after(args, '--remux-video') ?? after(args, '--recode-video') ?? after(args, '--audio-format')
  }
  expect(formats.map(container)).toEqual([...formats])
})

test('mp4 prefers what Plex plays directly, webm what is free', () => {
  expect(after(downloadArguments(options({ format: 'mp4' })), '-S')).toMatch(
    /^res:1080,lang,vcodec:h264,acodec:aac/,
  )
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

const extras = (changes: object): Partial<DownloadOptions> => ({ extras: DownloadExtras.parse(changes) })

const variants = '(-[a-z]{2}|-[0-9]{3}|-[a-z]{4}|-[a-z]{4}-[a-z]{2})?'

test('subtitles come in what the container takes, and beside the film as Plex reads them', () => {
  const subtitles = (delivery: string, automatic = false) =>
    extras({ subtitles: { languages: ['en', 'pt-BR'], delivery, automatic } })
  const kind = (format: DownloadOptions['format'], delivery: string) => {
    const args = downloadArguments(options({ format, ...subtitles(delivery) }))
    return [after(args, '--convert-subs'), args.includes('--embed-subs')]
  }
  expect(kind('mp4', 'embed')).toEqual(['srt', true])
  expect(kind('mkv', 'embed')).toEqual(['srt', true])
  expect(kind('webm', 'embed')).toEqual(['vtt', true])
  expect(kind('webm', 'sidecar')).toEqual(['srt', false])
  const written = downloadArguments(options(subtitles('embed')))
  expect(written).not.toContain('--write-auto-subs')
  expect(after(written, '--sub-langs')).toBe(`en${variants},pt-BR`)
  const automatic = downloadArguments(options(subtitles('embed', true)))
  expect(automatic).toEqual(expect.arrayContaining(['--write-subs', '--write-auto-subs']))
  expect(after(automatic, '--sub-langs')).toBe('en,pt-BR')
  const sound = downloadArguments(options({ format: 'mp3', ...subtitles('embed') }))
  expect(sound.filter((arg) => /^--.*sub/.test(arg))).toEqual([])
})

test('SponsorBlock is asked for the categories that were named, where the operator says', () => {
  const of = (action: string, api?: string) =>
    downloadArguments(
      options({
        ...extras({ sponsorBlock: { action, categories: ['sponsor', 'intro'] }, chapters: false }),
        sponsorBlockApi: api,
      }),
    )
  expect(after(of('mark'), '--sponsorblock-mark')).toBe('sponsor,intro')
  expect(of('mark')).toContain('--embed-chapters')
  expect(after(of('remove'), '--sponsorblock-remove')).toBe('sponsor,intro')
  expect(of('remove')).toContain('--no-embed-chapters')
  expect(of('remove')).not.toContain('--sponsorblock-api')
  expect(after(of('remove', 'http://127.0.0.1:9'), '--sponsorblock-api')).toBe('http://127.0.0.1:9')
  expect(downloadArguments(options()).filter((arg) => arg.startsWith('--sponsor'))).toEqual([])
  expect(downloadArguments(options())).toContain('--embed-chapters')
})

test('nothing but words that are known or checked gets in with any wish the contract lets through', () => {
  const tag = fc.oneof(fc.string(), fc.constantFrom('en', 'en.*', 'all', '-en', '--exec', 'a|b', 'zh-Hans'))
  fc.assert(
    fc.property(
      fc.array(tag, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('embed', 'sidecar'),
      fc.boolean(),
      fc.constantFrom(...formats),
      (languages, delivery, automatic, format) => {
        const parsed = DownloadExtras.safeParse({ subtitles: { languages, delivery, automatic } })
        if (!parsed.success) return
        const args = downloadArguments(options({ format, extras: parsed.data }))
        const asked = after(args, '--sub-langs')
        expect(asked === undefined).toBe(isAudio(format))
        for (const one of asked?.split(',') ?? [])
          expect(one.replace(variants, '')).toMatch(/^[A-Za-z0-9-]+$/)
        expect(args.filter((arg) => forbidden.test(arg))).toEqual([])
      },
    ),
  )
})
