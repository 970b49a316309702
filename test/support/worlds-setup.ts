import type { TestProject } from 'vitest/node'

import { startWorlds } from './worlds.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a world can be had for oneself. */
    worlds: string
  }
}

/** Serves stand-ins to the Worker's tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const worlds = await startWorlds()
  project.provide('worlds', worlds.url)
  return worlds.close
}
