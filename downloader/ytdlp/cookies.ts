import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type LentCookies = {
  readonly file: string | undefined
  /** Ends the loan; what the site renewed is kept when the run went well. */
  readonly giveBack: (keep: boolean) => Promise<void>
}

/** yt-dlp rewrites the cookies file it is given, so each run gets a private copy. */
export async function lendCookies(source: string | undefined, directory: string): Promise<LentCookies> {
  if (source === undefined) return { file: undefined, giveBack: async () => undefined }
  const file = join(directory, 'cookies.txt')
  await copyFile(source, file)
  await chmod(file, 0o600)
  return {
    file,
    giveBack: async (keep) => {
      // A read-only file of the operator's is their choice.
      if (keep) await writeFile(source, await readFile(file)).catch(() => undefined)
      await rm(file, { force: true })
    },
  }
}
