import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

const limitKiB = 300
const root = resolve(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'medianest-bundle-'))

try {
  const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', folder], {
    cwd: root,
  })
  const bundle = await readFile(join(folder, 'index.js'))
  const kib = gzipSync(bundle, { level: 9 }).byteLength / 1024
  console.log(
    `The Worker's bundle is ${kib.toFixed(1)} KiB gzip (limit ${limitKiB} KiB); wrangler deploy --dry-run accepts it.`,
  )
  if (kib > limitKiB) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
