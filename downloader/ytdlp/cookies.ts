import { access, chmod, constants, copyFile, open, readFile, realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../update/replace-file.ts'

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
      if (keep) await renew(source, file).catch(() => undefined)
      await rm(file, { force: true })
    },
  }
}

/** Another run may borrow at this very moment: it never meets an empty file. */
async function renew(source: string, lent: string): Promise<void> {
  const cookies = await readFile(lent)
  await access(source, constants.W_OK)
  const place = await realpath(source)
  const { mode, uid, gid } = await stat(place)
  // A new file would be ours, and no longer whose it was.
  const isOurs = uid === process.getuid?.() && gid === process.getgid?.()
  // One that is mounted by itself cannot be replaced.
  if (!isOurs || !(await isReplaced(place, cookies, mode))) await overwrite(place, cookies)
}

const isReplaced = (file: string, content: Uint8Array, mode: number): Promise<boolean> =>
  replaceFile(file, content, mode & 0o777).then(
    () => true,
    () => false,
  )

async function overwrite(file: string, content: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.writeFile(content)
    await handle.truncate(content.byteLength)
  } finally {
    await handle.close()
  }
}
