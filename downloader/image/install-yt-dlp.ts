import { chmod, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fetchRelease, newestVersion, officialReleases } from '../update/release.ts'
import { replaceFile } from '../update/replace-file.ts'

/** Puts the zipapp of a release, the newest one if none is named, where the image has its yt-dlp. */
const [file, version] = process.argv.slice(2)
if (!file) throw new Error('usage: install-yt-dlp.ts <file> [version]')

const releases = process.env['YT_DLP_RELEASES'] || officialReleases
const wanted = version || (await newestVersion(releases))
const place = resolve(file)
const bytes = await fetchRelease(releases, wanted, 'yt-dlp')
await mkdir(dirname(place), { recursive: true })
await replaceFile(place, bytes, 0o755)
// Whatever the umask: whoever runs it is somebody else.
for (const path of [dirname(place), place]) await chmod(path, 0o755)
console.log(`yt-dlp ${wanted}`)
