import { expect, test } from 'vitest'
import { parseConfig } from '../../downloader/config.ts'

const good = {
  LINK_URL: 'wss://medianest.example/api/downloader/link',
  DOWNLOADER_TOKEN: 'a-token-of-some-length',
  LIBRARY_DIR: '/srv/videos',
}

const problemsOf = (env: Record<string, string | undefined>): readonly string[] => {
  const parsed = parseConfig(env)
  return parsed.ok ? [] : parsed.problems
}

test('three variables are enough', () => {
  expect(parseConfig(good, 'nas.home lan')).toMatchObject({
    ok: true,
    config: {
      downloaderId: 'downloader-nas-home-lan',
      slots: 2,
      workDirectory: '/srv/videos/.medianest',
      stateDirectory: '/srv/videos/.medianest',
      plexLibraryPath: '/srv/videos',
      allowedHosts: [],
      stallMs: 120_000,
      ytDlpPath: 'yt-dlp',
      healthPort: 8788,
      updatesDaily: false,
      ytDlpReleases: 'https://github.com/yt-dlp/yt-dlp/releases',
    },
  })
})

test('everything that is wrong is named at once, without its value', () => {
  const problems = problemsOf({
    LINK_URL: 'http://medianest.example',
    DOWNLOADER_TOKEN: 'short-secret',
    SLOTS: '0',
    ALLOWED_HOSTS: 'ok.example, https://wrong.example',
    RATE_LIMIT: 'fast',
    PROXY: 'ftp://user:hunter2@proxy.example',
    HEALTH_PORT: '70000',
    SPONSORBLOCK_API: 'sponsor.example',
    AUTO_UPDATE: 'weekly',
    YT_DLP_RELEASES: 'http://mirror.example/releases',
  })
  expect(problems.map((problem) => problem.split(/[ :]/)[0]).sort()).toEqual([
    'ALLOWED_HOSTS',
    'AUTO_UPDATE',
    'DOWNLOADER_TOKEN',
    'HEALTH_PORT',
    'LIBRARY_DIR',
    'LINK_URL',
    'PROXY',
    'RATE_LIMIT',
    'SLOTS',
    'SPONSORBLOCK_API',
    'YT_DLP_RELEASES',
  ])
  expect(problems).toContain('LIBRARY_DIR must be set')
  expect(problems).toContain('SLOTS: must be a whole number from 1 to 32')
  expect(problems.join('\n')).not.toMatch(/short-secret|hunter2/)
})

test('the token travels in the clear to this machine only', () => {
  expect(problemsOf({ ...good, LINK_URL: 'ws://127.0.0.1:8787/api/downloader/link' })).toEqual([])
  expect(problemsOf({ ...good, LINK_URL: 'ws://[::1]:8787/link' })).toEqual([])
  expect(problemsOf({ ...good, LINK_URL: 'ws://localhost:8787/link' })).toEqual([])
  expect(problemsOf({ ...good, LINK_URL: 'ws://192.168.1.2:8787/link' })).toHaveLength(1)
  expect(problemsOf({ ...good, LINK_URL: 'ws://127.0.0.1.evil.example/link' })).toHaveLength(1)
})

test('an empty variable is one that is not set', () => {
  const parsed = parseConfig({ ...good, SLOTS: '', PROXY: '', WORK_DIR: '', COOKIES_FILE: undefined })
  expect(parsed).toMatchObject({ ok: true, config: { slots: 2, proxy: undefined } })
})

test('folders that yt-dlp would expand are refused', () => {
  expect(problemsOf({ ...good, LIBRARY_DIR: '/srv/$HOME' })).toHaveLength(1)
  expect(problemsOf({ ...good, WORK_DIR: '/srv/100%(title)s' })).toHaveLength(1)
})

test('the Plex server may see the library elsewhere, even on Windows', () => {
  for (const path of ['/data/videos', 'D:\\Videos', '\\\\nas\\videos'])
    expect(problemsOf({ ...good, PLEX_LIBRARY_PATH: path })).toEqual([])
  expect(problemsOf({ ...good, PLEX_LIBRARY_PATH: 'videos' })).toHaveLength(1)
})

test('health is told at a port of choice, or not at all', () => {
  const portOf = (port: string) => parseConfig({ ...good, HEALTH_PORT: port })
  expect(portOf('0')).toMatchObject({ config: { healthPort: 0 } })
  expect(portOf('off')).toMatchObject({ ok: true, config: { healthPort: undefined } })
})

test('programs come from where nobody can put another in between', () => {
  expect(problemsOf({ ...good, YT_DLP_RELEASES: 'http://127.0.0.1:8080/releases/' })).toEqual([])
  expect(problemsOf({ ...good, YT_DLP_RELEASES: 'https://mirror.example/releases' })).toEqual([])
  expect(problemsOf({ ...good, YT_DLP_RELEASES: 'http://127.0.0.1.evil.example/' })).toHaveLength(1)
})

test('the canary is a video that a job might have', () => {
  const canary = { ...good, CANARY_URL: 'http://127.0.0.1:9000/watch/x' }
  expect(problemsOf(canary)).toEqual([
    'CANARY_URL: must be the address of a video that downloads may come from',
  ])
  expect(problemsOf({ ...canary, ALLOWED_HOSTS: '127.0.0.1:9000' })).toEqual([])
  expect(problemsOf({ ...canary, SLOTS: '0', LIBRARY_DIR: undefined })).toHaveLength(3)
})
