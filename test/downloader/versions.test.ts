import { expect, inject, test } from 'vitest'
import { checkTools, isOutdated, minimalEnvironment } from '../../downloader/versions.ts'

const environment = minimalEnvironment(process.env)

test('the tools at hand are good enough', async () => {
  const found = await checkTools(inject('tools'), environment)
  expect(found.troubles).toEqual([])
  expect(found.ytDlp).toMatch(/^20\d\d\.\d\d\.\d\d/)
  expect(found.ffmpeg).toMatch(/^\w/)
})

test('what is missing or unfit is named', async () => {
  const nowhere = '/nonexistent/tool'
  const paths = { ...inject('tools'), ytDlp: nowhere, ffprobe: nowhere }
  const found = await checkTools(paths, environment, '20.19.0')
  expect(found.troubles).toEqual(['ytdlp-missing', 'ffmpeg-missing', 'js-runtime-unsupported'])
  expect(found.ytDlp).toBeUndefined()
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
