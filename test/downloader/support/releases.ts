import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findPython } from '../../../scripts/tools/python.ts'
import { run } from '../../../scripts/tools/run.ts'
import { startStandIn } from '../../world/stand-in.ts'
import type { Test } from './setting.ts'

const unpacked = resolve(import.meta.dirname, '../../../.tools/yt-dlp')

export type Releases = {
  readonly url: string
  /** Makes a release the newest; `sum` is what is published as its checksum. */
  readonly publish: (version: string, program: Buffer, sum?: string) => void
}

/** The page of yt-dlp's releases, as it answers those who ask for the newest. */
export async function startReleases({ onTestFinished }: Test): Promise<Releases> {
  const files = new Map<string, Buffer>()
  let newest: string | undefined
  const site = await startStandIn({
    handle: ({ path, response }) => {
      const file = files.get(path)
      if (path === '/releases/latest' && newest)
        response.writeHead(302, { location: `/releases/tag/${newest}` }).end()
      else if (file) response.end(file)
      else response.writeHead(404).end()
    },
  })
  onTestFinished(site.close)
  return {
    url: `${site.url}/releases`,
    publish: (version, program, sum = createHash('sha256').update(program).digest('hex')) => {
      newest = version
      files.set(`/releases/download/${version}/yt-dlp`, program)
      files.set(`/releases/download/${version}/SHA2-256SUMS`, Buffer.from(`${sum}  yt-dlp\n`))
    },
  }
}

/** What a release is called that comes in so many days: never an old one, and newer than what is installed. */
export const versionIn = (days: number): string =>
  new Date(Date.now() + days * 24 * 60 * 60_000).toISOString().slice(0, 10).replaceAll('-', '.')

const properMain = 'import yt_dlp; yt_dlp.main()\n'

/** The bytes of a real yt-dlp that calls itself otherwise, and may begin with something of its own. */
export async function packYtDlp(version: string, main = ''): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-zipapp-'))
  try {
    const file = join(folder, 'yt-dlp')
    const fetched = (await readdir(unpacked).catch(() => [])).filter((name) => name.startsWith('yt-dlp-'))
    const places = [
      ...fetched.map((name) => join(unpacked, name)),
      join(unpacked, 'debian/usr/lib/python3/dist-packages/yt_dlp'),
    ]
    const script = join(import.meta.dirname, 'yt-dlp-zipapp.py')
    const ran = await run((await findPython()) ?? 'python3', [
      script,
      file,
      version,
      main + properMain,
      ...places,
    ])
    if (!ran.ok) throw new Error(ran.stderr)
    return await readFile(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
