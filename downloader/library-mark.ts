import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Leaves a mark beside the library, and answers how to see whether it is there still. A disk that is unmounted leaves an
 * empty folder behind, and working folders are made anew in it: nobody makes the mark anew.
 */
export async function markLibrary(workDirectory: string): Promise<() => Promise<boolean>> {
  const mark = join(workDirectory, 'library-is-here')
  await writeFile(mark, '')
  return () =>
    access(mark).then(
      () => true,
      () => false,
    )
}
