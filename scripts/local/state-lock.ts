import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Keeps the state folder for this process alone; undefined when another has it. The system lets go of it whatever end the process comes to. */
export function lockState(stateFolder: string): { readonly release: () => void } | undefined {
  const database = new DatabaseSync(join(stateFolder, 'lock.sqlite'))
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch {
    database.close()
    return undefined
  }
  return { release: () => database.close() }
}
