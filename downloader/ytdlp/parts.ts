import { writeFileSync } from 'node:fs'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { sizeOf } from '../disk.ts'
import type { Account } from './account.ts'

/** Which formats the parts are of, and how long each is said to be. */
const Origin = z.object({ formats: z.array(z.string()), sizes: z.record(z.string(), z.number()) })
type Origin = z.output<typeof Origin>

export type Parts = {
  /**
   * Whether what this run fetches is what lies there, as far as is known. Another format, or one that is longer or shorter
   * now, must not be continued: yt-dlp would join the two, and tell nobody.
   */
  readonly fit: (account: Pick<Account, 'streams' | 'exactSizes'>) => boolean
}

/** Makes the parts of an earlier run ready to be continued. */
export async function openParts(directory: string, partialDirectory: string): Promise<Parts> {
  await reopenParts(partialDirectory)
  const file = join(directory, 'parts.json')
  const isNew = (await sizeOf(partialDirectory)) === 0
  const before = isNew ? undefined : parse(await readFile(file, 'utf8').catch(() => ''))
  let noted = JSON.stringify(before)
  return {
    fit: ({ streams, exactSizes }) => {
      if (streams.length === 0) return true
      const formats = streams.map(({ format_id }) => format_id)
      const now: Origin = { formats, sizes: { ...before?.sizes, ...Object.fromEntries(exactSizes) } }
      if (before && !continues(before, now)) return false
      const text = JSON.stringify(now)
      if (text !== noted) note(file, text)
      noted = text
      return true
    },
  }
}

/** At once: a job that ends meanwhile takes its directory away. On a full disk it goes on without. */
function note(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch {
    // What is not known is not held against a part.
  }
}

function parse(text: string): Origin | undefined {
  try {
    return Origin.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const continues = (before: Origin, { formats, sizes }: Origin): boolean =>
  before.formats.join() === formats.join() &&
  Object.entries(before.sizes).every(([format, size]) => sizes[format] === size)

/**
 * Takes the last byte off each part that a killed run left behind. Of one that was complete and only not renamed yet there would be
 * nothing left to ask for, and yt-dlp gives up when a server says so. The parts of segmented films it checks by itself.
 */
async function reopenParts(directory: string): Promise<void> {
  const names: string[] = await readdir(directory).catch(() => [])
  for (const name of names) {
    if (!name.endsWith('.part') || names.includes(name.replace(/\.part$/, '.ytdl'))) continue
    const path = join(directory, name)
    const { size } = await stat(path)
    if (size > 0) await truncate(path, size - 1)
  }
}
