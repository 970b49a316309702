import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Takes the last byte off each part that a killed run left behind. Of one that was complete and only not renamed yet there would be
 * nothing left to ask for, and yt-dlp gives up when a server says so. The parts of segmented films it checks by itself.
 */
export async function reopenParts(directory: string): Promise<void> {
  const names: string[] = await readdir(directory).catch(() => [])
  for (const name of names) {
    if (!name.endsWith('.part') || names.includes(name.replace(/\.part$/, '.ytdl'))) continue
    const path = join(directory, name)
    const { size } = await stat(path)
    if (size > 0) await truncate(path, size - 1)
  }
}
