import { expect, inject, test } from 'vitest'
import {
  ageInDays,
  checkTools,
  isOutdated,
  minimalEnvironment,
  parseDebugLines,
  reportVersions,
} from '../../downloader/versions.ts'

const environment = minimalEnvironment(process.env)

const at = (day: string): Date => new Date(`${day}T12:00:00Z`)
const tools = { ...inject('tools'), node: process.execPath }

test('the tools at hand are good enough, and say what they are', async () => {
  const found = await checkTools(tools, environment, at('2026-11-01'))
  expect(found.troubles).toEqual([])
  expect(found.ytDlp).toMatch(/^20\d\d\.\d\d\.\d\d/)
  expect(found.ffmpeg).toMatch(/^\w/)
  expect(found.jsRuntime).toBe(`node-${process.versions.node}`)
  expect(reportVersions(found)).toMatchObject({ downloader: '0.1.0', ytDlp: found.ytDlp })
})

test('what is missing or unfit is named', async () => {
  const nowhere = '/nonexistent/tool'
  const paths = { ...tools, ytDlp: nowhere, ffprobe: nowhere }
  const found = await checkTools(paths, environment, at('2026-11-01'), '20.19.0')
  expect(found.troubles).toEqual(['ytdlp-missing', 'ffmpeg-missing', 'js-runtime-unsupported'])
  expect(Object.keys(reportVersions(found))).toEqual(['downloader', 'node', 'ffmpeg'])
})

test('a yt-dlp of more than ninety days is called old', async () => {
  const { ytDlp = '' } = await checkTools(tools, environment, at('2026-11-01'))
  const released = Date.parse(ytDlp.slice(0, 10).replaceAll('.', '-'))
  const after = (days: number): Date => new Date(released + (days + 0.5) * 24 * 60 * 60_000)
  expect(await checkTools(tools, environment, after(90))).toMatchObject({ ytDlpAgeDays: 90, troubles: [] })
  expect(await checkTools(tools, environment, after(91))).toMatchObject({
    ytDlpAgeDays: 91,
    troubles: ['ytdlp-old'],
  })
})

test('what yt-dlp says of its surroundings is read from its own account', () => {
  const account = (runtimes: string, libraries: string): string => `[debug] Command-line config: ['-v']
[debug] yt-dlp version nightly@2026.11.20.232323 from yt-dlp/yt-dlp-nightly-builds [c91f8de0b] (zip)
[debug] Optional libraries: ${libraries}
[debug] JS runtimes: ${runtimes}
`
  expect(
    parseDebugLines(account('deno-2.3.1 (unsupported), node-24.21.0', 'sqlite3-3.40.1, yt_dlp_ejs-0.8.0')),
  ).toEqual({
    version: '2026.11.20.232323',
    jsRuntime: 'node-24.21.0',
    challengeSolver: '0.8.0',
  })
  for (const runtimes of ['node-20.20.2 (unsupported)', 'none', 'none (disabled)', 'node (unknown)'])
    expect(parseDebugLines(account(runtimes, 'none'))).toEqual({ version: '2026.11.20.232323' })
  expect(parseDebugLines('yt-dlp: error: no such option: --no-js-runtimes')).toBeUndefined()
})

test('the age of a version is counted in whole days', () => {
  expect(ageInDays('2026.10.26', at('2026-11-25'))).toBe(30)
  expect(ageInDays('2026.10.26.232323', at('2026-10-26'))).toBe(0)
  expect(ageInDays('2026.10.26', at('2026-10-01'))).toBe(0)
  expect(ageInDays('custom', at('2026-10-01'))).toBeUndefined()
})

test('versions are compared as dates', () => {
  expect(['2023.03.04', '2025.12.31', '2026.06.08', '2026.6.8'].map(isOutdated)).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(['2026.06.09', '2026.10.26', '2026.06.09.232323', '2027.1.1', 'custom'].map(isOutdated)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
})

test('child programs inherit no secret and no proxy', () => {
  const kept = minimalEnvironment({
    PATH: '/bin',
    HOME: '/home/x',
    DOWNLOADER_TOKEN: 'secret',
    HTTPS_PROXY: 'http://proxy',
    NODE_OPTIONS: '--inspect',
  })
  expect(Object.keys(kept).sort()).toEqual(['HOME', 'LANG', 'LC_ALL', 'PATH', 'PYTHONUTF8'])
})
