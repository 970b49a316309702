import { spawn, spawnSync } from 'node:child_process'
import { chmod, chown, copyFile, link, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, inject, test } from 'vitest'
import { findPython } from '../../../scripts/tools/python.ts'
import { run } from '../../../scripts/tools/run.ts'
import { packYtDlp, startReleases, versionIn } from '../support/releases.ts'
import { jobFor } from '../support/scripted-worker.ts'
import { settingOf, type Test } from '../support/setting.ts'

const root = resolve(import.meta.dirname, '../../..')
const version = versionIn(1)
const nobody = 65_534

/** Nothing but the library can be written to, and whoever runs it is nobody: as with `read_only` and `user`. */
const isolation = `mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / && shift &&
exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups -- "$@"`

/** How a command is started in the container, as far as this machine lets us have one. */
function containerOf(library: string): readonly string[] {
  const wrap = ['unshare', '--mount', 'sh', '-c', isolation, 'sh', library]
  const [command, ...args] = [...wrap, inject('tools').ffmpeg, '-version']
  return command && spawnSync(command, args).status === 0 ? wrap : []
}

/** What `docker build` would make, from the scripts that it calls, though whoever runs them keeps things to themselves. */
async function buildImage(test: Test, releases: string): Promise<string> {
  const image = await mkdtemp(join(tmpdir(), 'medianest-image-'))
  test.onTestFinished(async () => {
    await run('chmod', ['-R', 'u+w', image])
    await rm(image, { recursive: true })
  })
  const app = join(image, 'app')
  const script = (name: string, ...args: string[]) =>
    run(
      'sh',
      ['-c', 'umask 077; exec "$@"', 'sh', process.execPath, join(root, 'downloader/image', name), ...args],
      { env: { YT_DLP_RELEASES: releases } },
    )
  const built = [
    await script('assemble.ts', app),
    await script('install-yt-dlp.ts', join(image, 'opt/yt-dlp'), ''),
  ]
  expect(built.map(({ ok, stderr }) => ok || stderr)).toEqual([true, true])
  await mkdir(join(image, 'bin'))
  const node = join(image, 'bin/node')
  await link(process.execPath, node).catch(() => copyFile(process.execPath, node))
  await symlink('../app/downloader/image/medianest', join(image, 'bin/medianest'))
  const shut = await run('find', [app, '-perm', '/222', '-o', '!', '-perm', '-444'])
  expect(shut).toEqual({ ok: true, stdout: '', stderr: '' })
  for (const folder of [image, join(image, 'bin')]) await chmod(folder, 0o755)
  return image
}

test(
  'what the image is made of downloads as nobody with nothing but the library to write to',
  { timeout: 120_000 },
  async (test) => {
    const [setting, releases] = await Promise.all([settingOf(test), startReleases(test)])
    releases.publish(version, await packYtDlp(version))
    const image = await buildImage(test, releases.url)
    const { worker, library, site } = setting
    const container = containerOf(library)
    if (container.length > 0) await chown(library, nobody, nobody)
    const { ffmpeg, ffprobe } = inject('tools')
    const env = {
      PATH: [join(image, 'bin'), dirname((await findPython()) ?? ''), '/usr/bin', '/bin'].join(':'),
      LINK_URL: worker.url,
      DOWNLOADER_TOKEN: worker.token,
      DOWNLOADER_ID: 'under-test',
      LIBRARY_DIR: library,
      RESERVE_BYTES: '1000000',
      ALLOWED_HOSTS: `127.0.0.1:${site.port}`,
      HEALTH_PORT: '0',
      YT_DLP_PATH: join(image, 'opt/yt-dlp'),
      YT_DLP_RELEASES: releases.url,
      FFMPEG_PATH: ffmpeg,
      FFPROBE_PATH: ffprobe,
    }
    const start = (...words: string[]) => {
      const [command = '', ...args] = [...container, ...words]
      const child = spawn(command, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
      test.onTestFinished(() => void child.kill('SIGKILL'))
      const said: string[] = []
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => said.push(String(chunk)))
      return { child, said, ended: new Promise<number | null>((done) => void child.once('close', done)) }
    }
    const inImage = (file: string): string => join(image, 'app/downloader', file)

    const checked = start('node', inImage('image/check-tools.ts'))
    await checked.ended
    const { lacks, challengeSolver } = JSON.parse(checked.said.join(''))
    expect(lacks).toEqual(challengeSolver ? [] : ['challenge-solver-missing'])

    const { child, said, ended } = start('medianest', 'run')
    const { versions, state } = await worker.hear('hello', () => true, 60_000)
    expect(versions.ytDlp).toBe(version)
    expect(state.troubles).toEqual([])
    const job = jobFor(site.media('ladder/360.mp4').url)
    worker.say({ type: 'offer', job })
    const { outcome } = await worker.hear('result', () => true, 60_000)
    expect(outcome.kind, said.join('')).toBe('completed')
    expect(await setting.files()).not.toEqual([])

    expect(await start('node', inImage('healthcheck.ts')).ended).toBe(0)
    const update = start('medianest', 'update', '--check')
    expect(await update.ended).toBe(0)
    expect(update.said.join('')).toContain('already-newest')

    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(await start('node', inImage('healthcheck.ts')).ended).toBe(1)

    const modules = await readdir(join(image, 'app/node_modules'))
    expect(modules).toEqual(expect.arrayContaining(['execa', 'zod']))
    expect(modules).not.toContain('hono')
  },
)
