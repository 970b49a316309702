import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { settingNames } from '../../../downloader/config.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const [dockerfile, compose, ignore] = ['Dockerfile', 'compose.yaml', 'Dockerfile.dockerignore'].map((file) =>
  read(join('downloader', file)),
) as [string, string, string]

const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, what = '']) => what)

test('the Dockerfile names files that are there, and that Docker is shown', () => {
  const scripts = found(dockerfile, /\b(?:\/app\/)?(downloader\/[\w./-]+)/g)
  const copied = found(dockerfile, /^COPY (?!--from)(.+) \S+$/gm).flatMap((files) => files.split(' '))
  expect(scripts).toEqual(
    expect.arrayContaining(
      ['assemble.ts', 'check-tools.ts', 'install-yt-dlp.ts', 'medianest'].map(
        (name) => `downloader/image/${name}`,
      ),
    ),
  )
  for (const file of [...scripts, ...copied]) expect(existsSync(join(root, file)), file).toBe(true)
  const shown = found(ignore, /^!(.+)$/gm)
  for (const file of copied) expect(shown).toContain(file.replace(/^\.\//, ''))
})

test("the image is nobody's but node's, has an init, and says how it is", () => {
  for (const line of [
    /^USER node$/m,
    /^ENTRYPOINT \["tini", "--", "medianest"\]$/m,
    /^HEALTHCHECK /m,
    /^VOLUME \/library$/m,
  ])
    expect(dockerfile).toMatch(line)
})

/** Where things are in the container is nobody's choice: nothing but the volume can be written to, nobody else has a port. */
const inContainer = ['WORK_DIR', 'STATE_DIR', 'HEALTH_PORT']

test('each setting is one of the image, or can be given to compose', () => {
  const inImage = found(dockerfile, /^(?:ENV| {4}) ?([A-Z_]+)=/gm).filter((name) => name !== 'NODE_ENV')
  const given = compose.split('environment:')[1]?.split('volumes:')[0] ?? ''
  const inCompose = found(given, /^ {6}([A-Z_]+): '\$\{\1:[-?]/gm)
  expect(found(given, /^ {6}([A-Z_]+):/gm)).toEqual(inCompose)
  expect([...inImage, ...inCompose, ...inContainer].sort()).toEqual([...settingNames].sort())
})

test('an image that is made in a year is not made with the yt-dlp of today', () => {
  expect(dockerfile).toMatch(/^ARG YT_DLP_VERSION$/m)
  expect(dockerfile).toMatch(/install-yt-dlp\.ts \S+ "\$YT_DLP_VERSION"$/m)
})

test('what an operator keeps beside the compose file is neither committed nor built in', () => {
  expect(compose).toContain('.env file here')
  expect(read('.gitignore').split('\n')).toContain('.env*')
  // The last line that fits decides.
  expect(ignore.trimEnd().split('\n').at(-1)).toBe('downloader/.env*')
})

test('four settings and one volume are all that compose asks of a person', () => {
  const required = found(compose, /\$\{(\w+):\?/g)
  expect([...required, ...found(compose, /user: '\$\{(\w+):-/g)].sort()).toEqual([
    'DOWNLOADER_TOKEN',
    'LIBRARY',
    'LIBRARY_OWNER',
    'LINK_URL',
  ])
  expect(found(compose, /^ +- '?.*?(:\/\w+)'?$/gm)).toEqual([':/library'])
  expect(compose).toMatch(/^ +read_only: true$/m)
})
