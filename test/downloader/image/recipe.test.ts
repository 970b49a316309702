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

test('Dockerfile and compose file set nothing that is not a setting', () => {
  const inImage = found(dockerfile, /^(?:ENV| {4}) ?([A-Z_]+)=/gm).filter((name) => name !== 'NODE_ENV')
  const given = compose.split('environment:')[1]?.split('volumes:')[0] ?? ''
  const inCompose = found(given, /^ {6}([A-Z_]+):/gm)
  expect(inImage.length).toBeGreaterThan(3)
  expect(inCompose.length).toBeGreaterThan(3)
  for (const name of [...inImage, ...inCompose]) expect(settingNames).toContain(name)
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
