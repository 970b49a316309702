import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from './support/launch.ts'
import { jobFor } from './support/scripted-worker.ts'
import { settingOf, type Test } from './support/setting.ts'

const youtube = 'https://www.youtube.com/watch?v=dQw4w9WgXcQ'

/** A yt-dlp of our own: `$NONCE` is the mark of this run, `$HOME_DIR` where finished files belong. */
async function fakeYtDlp({ onTestFinished }: Test, script: string, version = '2026.10.26'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-fake-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'yt-dlp')
  await writeFile(
    file,
    `#!/bin/sh
for arg in "$@"; do
  case "$arg" in
    --version) echo ${version}; exit 0 ;;
    -v) exit 2 ;;
    video:*) NONCE=$(printf %s "$arg" | sed 's/^video:\\(@[0-9a-f]*@\\).*/\\1/') ;;
    home:*) HOME_DIR=\${arg#home:} ;;
  esac
done
say() { printf '%s%s\\n' "$NONCE" "$1"; }
metadata() { say '{"kind":"metadata","info":{"id":"x","title":"T"},"formats":[{"format_id":"0"}]}'; }
${script}
`,
  )
  await chmod(file, 0o755)
  return file
}

async function outcomeWith(test: Test, env: Readonly<Record<string, string>>, url = youtube) {
  const setting = await settingOf(test)
  setting.launch(env)
  const hello = await setting.worker.hear('hello')
  const job = jobFor(url, { videoId: 'dQw4w9WgXcQ' })
  setting.worker.say({ type: 'offer', job })
  const { outcome } = await setting.worker.hear('result')
  return { hello, outcome, setting, job }
}

const codeOf = (outcome: { kind: string; failure?: { code: string } }): string | undefined =>
  outcome.failure?.code

test.concurrent('without yt-dlp it connects, says so, and fails with advice', async (test) => {
  const { hello, outcome } = await outcomeWith(test, { YT_DLP_PATH: '/nonexistent/yt-dlp' })
  expect(hello.state.troubles).toEqual(['ytdlp-missing'])
  expect(hello.versions).not.toHaveProperty('ytDlp')
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: { code: 'ytdlp-missing', retryable: false, advice: expect.stringContaining('yt-dlp') },
  })
})

test.concurrent('without ffmpeg it connects, says so, and fails', async (test) => {
  const { hello, outcome } = await outcomeWith(test, { FFMPEG_PATH: '/nonexistent/ffmpeg' })
  expect(hello.state.troubles).toEqual(['ffmpeg-missing'])
  expect(codeOf(outcome)).toBe('ffmpeg-missing')
})

test.concurrent('an old yt-dlp is refused for YouTube by name', async (test) => {
  const old = await fakeYtDlp(test, 'touch "$HOME_DIR/ran"; exit 0', '2023.03.04')
  const { hello, outcome } = await outcomeWith(test, { YT_DLP_PATH: old })
  expect(hello.state.troubles).toEqual(['ytdlp-outdated'])
  expect(hello.versions.ytDlp).toBe('2023.03.04')
  expect(codeOf(outcome)).toBe('ytdlp-outdated')
})

test.concurrent.for([
  ['writes nothing and says all is well', 'exit 0', 'skipped'],
  ['says it stopped at a limit', 'metadata; exit 101', 'skipped'],
  ['does not know an option', 'echo "yt-dlp: error: no such option: --x" >&2; exit 2', 'ytdlp-outdated'],
  [
    'names a file that is not there',
    `metadata; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR"'/media.mp4"}}'`,
    'invalid-result',
  ],
  [
    'names a file outside of its folder',
    `metadata; cp /etc/hostname "$HOME_DIR/../../../escaped.mp4"; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR"'/../../../escaped.mp4"}}'`,
    'invalid-result',
  ],
  [
    'leaves an empty file',
    `metadata; : > "$HOME_DIR/media.mp4"; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR"'/media.mp4"}}'`,
    'invalid-result',
  ],
  [
    'finishes two files',
    `metadata; for n in 1 2; do echo x > "$HOME_DIR/$n.mp4"; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR/$n"'.mp4"}}'; done`,
    'invalid-result',
  ],
  ['is killed by somebody', 'metadata; kill -9 $$', 'killed'],
  [
    'meets a live broadcast',
    `say '{"kind":"metadata","info":{"id":"x","title":"T","live_status":"is_live"}}'; exec sleep 60`,
    'live-processing',
  ],
  [
    'wants more room than there is',
    `metadata; say '{"kind":"start","info":{"format_id":"0","filesize":4000000000000000}}'; exec sleep 60`,
    'no-space',
  ],
] as const)('a yt-dlp that %s', async ([, script, code], test) => {
  const { outcome } = await outcomeWith(test, {
    YT_DLP_PATH: await fakeYtDlp(test, script),
    MAX_BYTES: String(Number.MAX_SAFE_INTEGER),
  })
  expect(codeOf(outcome)).toBe(code)
})

test.concurrent.for([
  ['a', 'it is no film and no sound'],
  ['a b', '2 files came where one was wanted'],
] as const)('what is wrong with the files %s is told as evidence', async ([names, why], test) => {
  const finishes = `echo x > "$HOME_DIR/$n.mp4"; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR/$n"'.mp4"}}'`
  const file = await fakeYtDlp(test, `metadata; for n in ${names}; do ${finishes}; done`)
  const { outcome } = await outcomeWith(test, { YT_DLP_PATH: file })
  expect(outcome).toMatchObject({ failure: { code: 'invalid-result', evidence: [why] } })
})

test.concurrent('where YouTube keeps forms of a video back, its health tells', async (test) => {
  const file = await fakeYtDlp(
    test,
    `echo 'WARNING: [youtube] x: n challenge solving failed: Some formats may be missing.' >&2
echo 'ERROR: [youtube] x: Requested format is not available' >&2; exit 1`,
  )
  const { hello, outcome, setting } = await outcomeWith(test, { YT_DLP_PATH: file })
  expect(hello.state.troubles).not.toContain('formats-missing')
  expect(codeOf(outcome)).toBe('js-runtime-missing')
  await setting.worker.hear('state', ({ state }) => state.troubles.includes('formats-missing'))
})

test.concurrent('a broadcast that is still to come says when to come back', async (test) => {
  const file = await fakeYtDlp(
    test,
    `
case " $* " in
  *" --simulate "*) say '{"kind":"metadata","info":{"id":"x","title":"T","live_status":"is_upcoming","release_timestamp":1893456000},"formats":[]}' ;;
  *) echo "ERROR: [youtube] x: This live event will begin in 3 hours." >&2; exit 1 ;;
esac`,
  )
  const { outcome } = await outcomeWith(test, { YT_DLP_PATH: file })
  expect(outcome).toMatchObject({
    failure: { code: 'live-not-started', retryable: true, retryAt: '2030-01-01T00:00:00.000Z' },
  })
})

test.concurrent('child programs see neither the token nor other settings', async (test) => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-env-'))
  test.onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const seen = join(folder, 'env')
  const file = await fakeYtDlp(test, `env > '${seen}'; exit 1`)
  const { setting } = await outcomeWith(test, { YT_DLP_PATH: file, HTTPS_PROXY: 'http://proxy.example' })
  await eventually(async () => (await readFile(seen, 'utf8')).includes('PATH='))
  const names = (await readFile(seen, 'utf8')).split('\n').map((line) => line.split('=')[0])
  expect(names).not.toContain('DOWNLOADER_TOKEN')
  expect(names).not.toContain('HTTPS_PROXY')
  expect(await readFile(seen, 'utf8')).not.toContain(setting.worker.token)
})

test.concurrent('cookies are lent as a private copy, and what was renewed is kept', async (test) => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-cookies-'))
  test.onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const cookies = join(folder, 'cookies.txt')
  await writeFile(cookies, 'old')
  const file = await fakeYtDlp(
    test,
    `
while [ "$1" != --cookies ]; do shift; done
[ "$(cat "$2")" = old ] && [ "$(stat -c %a "$2")" = 600 ] && [ "$2" != '${cookies}' ] && printf new > "$2"
metadata; echo x > "$HOME_DIR/media.mp4"; say '{"kind":"file","info":{"filepath":"'"$HOME_DIR"'/media.mp4"}}'`,
  )
  await outcomeWith(test, { YT_DLP_PATH: file, COOKIES_FILE: cookies })
  expect(await readFile(cookies, 'utf8')).toBe('new')
})

test.concurrent('an unusable configuration ends with code 1 and names every variable', async (test) => {
  const setting = await settingOf(test)
  const { log, ended } = setting.launch({ LINK_URL: 'ftp://x', SLOTS: 'many' })
  expect(await ended).toBe(1)
  expect(log.join()).toContain('LINK_URL')
  expect(log.join()).toContain('SLOTS')
  expect(log.join()).not.toContain(setting.worker.token)
})

test.concurrent('a second downloader on the same state ends at once', async (test) => {
  const setting = await settingOf(test)
  setting.launch()
  await setting.worker.hear('hello')
  const { log, ended } = setting.launch()
  expect(await ended).toBe(1)
  expect(log.join()).toContain('Another downloader')
})
