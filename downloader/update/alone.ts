import { DatabaseSync } from 'node:sqlite'

/**
 * Does the work unless another process is at it; undefined when one is. SQLite holds the lock as the system's own,
 * which ends with the process however that ends, and is seen from other containers too.
 */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T | undefined> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined
    throw error
  }
  try {
    return await work()
  } finally {
    database.close()
  }
}
