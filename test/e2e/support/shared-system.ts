import { afterAll, beforeAll } from 'vitest'

import { newPlace, startIn, type Place, type WholeSystem } from './system.ts'

/** One system for all tests of a file; call what it answers from within a test. */
export function systemForFile(vars?: Readonly<Record<string, string>>): () => WholeSystem {
  let place: Place | undefined
  let system: WholeSystem | undefined

  beforeAll(async () => {
    place = await newPlace()
    system = await startIn(place, vars)
  })

  afterAll(async () => {
    await system?.stop()
    await place?.remove()
  })

  return () => {
    if (!system) throw new Error('the system did not start')
    return system
  }
}
