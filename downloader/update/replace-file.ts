import { open, rename, writeFile } from 'node:fs/promises'

/** A reader meets the old or the new one, and so does whoever comes after a power cut. */
export async function replaceFile(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}.part`
  await writeFile(draft, content, { mode })
  const handle = await open(draft, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}
