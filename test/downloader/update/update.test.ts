import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { parseConfig } from '../../../downloader/config.ts'
import { createLog } from '../../../downloader/log.ts'
import { alone } from '../../../downloader/update/alone.ts'
import { exitCodes, runUpdate, type UpdateVerb } from '../../../downloader/update/command.ts'
import { eventually, processesIn } from '../support/launch.ts'
import { packYtDlp, startReleases, versionIn, type Releases } from '../support/releases.ts'
import { jobFor } from '../support/scripted-worker.ts'
import { settingOf, type Setting, type Test } from '../support/setting.ts'

const first = versionIn(1)
/** A file, not a page: a page is looked at with all extractors, which are compiled anew each time when packed. */
const film = 'ladder/360.mp4'
const second = versionIn(2)
const good = packYtDlp(first)
/** Tells of itself like any other, and downloads nothing. */
const broken = `import sys
if '-v' not in sys.argv: sys.exit('ERROR: [generic] nothing can be extracted')
`

/** Says what it is called, and nothing else. */
const called = (version: string): string =>
  `#!/bin/sh\necho '[debug] yt-dlp version stable@${version} from yt-dlp/yt-dlp' >&2\nexit 2\n`

/** Every run of a packed yt-dlp compiles it anew, which takes its time beside other tests. */
const patience = { timeout: 120_000 }

type World = {
  readonly setting: Setting
  readonly releases: Releases
  readonly tools: string
  readonly env: Readonly<Record<string, string>>
}

async function worldOf(test: Test): Promise<World> {
  const [setting, releases] = await Promise.all([settingOf(test), startReleases(test)])
  const { url } = setting.site.media(film)
  return {
    setting,
    releases,
    tools: join(setting.library, '.medianest', 'tools'),
    env: { YT_DLP_RELEASES: releases.url, CANARY_URL: url, HEALTH_PORT: '0' },
  }
}

/** What a person would do with `main.ts update`, and what the log says came of it. */
async function act({ setting, env }: World, verb: UpdateVerb) {
  const { ytDlp, ffmpeg, ffprobe } = inject('tools')
  const parsed = parseConfig({
    LINK_URL: setting.worker.url,
    DOWNLOADER_TOKEN: setting.worker.token,
    LIBRARY_DIR: setting.library,
    RESERVE_BYTES: '1000000',
    ALLOWED_HOSTS: `127.0.0.1:${setting.site.port}`,
    YT_DLP_PATH: ytDlp,
    FFMPEG_PATH: ffmpeg,
    FFPROBE_PATH: ffprobe,
    ...env,
  })
  if (!parsed.ok) throw new Error(parsed.problems.join())
  const lines: string[] = []
  const log = createLog({ write: (line) => lines.push(line), now: () => new Date(0), secrets: [] })
  const code = await runUpdate(verb, parsed.config, process.env, log, new AbortController().signal)
  const { outcome, to, tried, reason, failure } = JSON.parse(lines.at(-1) ?? '{}')
  expect(code).toBe(exitCodes[outcome as keyof typeof exitCodes])
  return { outcome, to, tried, reason, failure }
}

const fetchedIn = async ({ tools }: World): Promise<string[]> =>
  (await readdir(tools)).filter((name) => name.startsWith('yt-dlp-'))

/** The programs that run under the library, by what they were started with. */
async function commandsIn(library: string): Promise<string[]> {
  const pids = await processesIn(library)
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
}

test.concurrent(
  'a newer yt-dlp is taken for the next job, and the one under way goes on with its own',
  patience,
  async (test) => {
    const world = await worldOf(test)
    const { setting, releases, env } = world
    const { worker, site, library } = setting
    const { log } = setting.launch(env)
    const { versions } = await worker.hear('hello')
    const under = jobFor(site.media(film, { rate: 60_000 }).url)
    worker.say({ type: 'offer', job: under })
    await worker.hear('progress', ({ progress }) => (progress.downloadedBytes ?? 0) > 0)

    releases.publish(first, await good)
    expect(await act(world, 'check')).toMatchObject({ outcome: 'newer-available', to: first })
    expect(await fetchedIn(world)).toEqual([])
    expect(await act(world, 'update')).toMatchObject({ outcome: 'updated', to: first })
    expect(versions.ytDlp).not.toBe(first)

    const next = jobFor(site.media(film, { rate: 120_000 }).url)
    worker.say({ type: 'offer', job: next })
    const { state } = await worker.hear('state', (said) => said.versions?.ytDlp === first, 50_000)
    expect(state.troubles).toEqual([])
    const fetched = join(world.tools, `yt-dlp-${first}`, 'yt-dlp')
    await eventually(async () => {
      const commands = await commandsIn(library)
      return commands.some((command) => command.includes(fetched))
    }, 30_000)
    for (const { jobId } of [under, next]) {
      const { outcome } = await worker.hear('result', (said) => said.jobId === jobId, 40_000)
      expect(outcome.kind).toBe('completed')
    }
    expect(log.join('\n')).not.toContain(' at ')
  },
)

test.concurrent(
  'what does not prove itself is not used, and the one before can be had back',
  patience,
  async (test) => {
    const found = await worldOf(test)
    const { releases, tools } = found
    const installed = join(tools, 'installed')
    await mkdir(tools, { recursive: true })
    await writeFile(installed, called('2026.10.26'), { mode: 0o755 })
    const world = { ...found, env: { ...found.env, YT_DLP_PATH: installed } }
    const refused = { outcome: 'rolled-back', to: '2026.10.26' }
    expect(await act(world, 'update')).toMatchObject({ outcome: 'rolled-back', reason: 'no-release' })
    expect(await act(world, 'roll-back')).toMatchObject({ outcome: 'nothing-to-restore' })

    releases.publish(first, await good, '0'.repeat(64))
    expect(await act(world, 'update')).toMatchObject({
      ...refused,
      tried: first,
      reason: 'checksum-mismatch',
    })
    releases.publish(second, Buffer.from(called(first)))
    expect(await act(world, 'update')).toMatchObject({ ...refused, reason: 'calls-itself-otherwise' })
    releases.publish(first, Buffer.from('#!/bin/sh\nexit 3\n'))
    expect(await act(world, 'update')).toMatchObject({ ...refused, reason: 'does-not-run' })
    expect(await fetchedIn(world)).toEqual([])

    releases.publish(first, await good)
    expect(await act(world, 'update')).toMatchObject({ outcome: 'updated', to: first })
    releases.publish(second, await packYtDlp(second, broken))
    expect(await act(world, 'update')).toEqual({
      ...refused,
      to: first,
      tried: second,
      reason: 'canary-failed',
      failure: expect.any(String),
    })
    expect(await fetchedIn(world)).toEqual([`yt-dlp-${first}`])
    expect(await readdir(join(tools, '../scratch'))).toEqual([])

    await alone(join(tools, 'update.lock'), async () => {
      expect(await act(world, 'roll-back')).toMatchObject({ outcome: 'busy' })
    })
    expect(await act(world, 'roll-back')).toMatchObject({ outcome: 'restored', to: '2026.10.26' })
    expect(JSON.parse(await readFile(join(tools, 'yt-dlp.json'), 'utf8'))).toEqual({
      inUse: 'installed',
      previous: first,
      setAside: [first],
    })
  },
)

test.concurrent('a downloader that may look after itself mends a missing yt-dlp', patience, async (test) => {
  const { setting, releases, env } = await worldOf(test)
  releases.publish(first, await good)
  setting.launch({ ...env, YT_DLP_PATH: '/nonexistent/yt-dlp', AUTO_UPDATE: 'daily' })
  const { state } = await setting.worker.hear('hello')
  expect(state.troubles).toEqual(['ytdlp-missing'])
  const mended = await setting.worker.hear('state', (said) => said.versions?.ytDlp === first, 50_000)
  expect(mended.state.troubles).toEqual([])
})
