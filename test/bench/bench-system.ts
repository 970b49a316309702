import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSystem, type System } from '../../scripts/local/system.ts'
import type { Demo } from '../../scripts/local/demo-file.ts'
import type { DemoWorld } from '../../scripts/local/demo-world.ts'

export type BenchSystem = System & { readonly demo: Demo; readonly world: DemoWorld }

/** Settings under which no limit is met, so that what is measured is the work and not the refusal. */
export const unlimited = {
  PLEX_REQUESTS_PER_15_MINUTES: '10000000',
  METADATA_PER_HOUR: '10000000',
  DOWNLOADS_PER_HOUR: '10000000',
  UNVERIFIED_WEBHOOKS_PER_15_MINUTES: '10000000',
  VERIFIED_WEBHOOKS_PER_15_MINUTES: '10000000',
  SIGN_INS_PER_15_MINUTES: '10000000',
} as const

export type BenchOptions = {
  readonly vars?: Readonly<Record<string, string>>
  readonly itemsPerLibrary?: number
  /** Settings of the downloader. */
  readonly downloader?: Readonly<Record<string, string>>
}

/** Hands a whole, fresh system to the measurement and takes it away afterwards. Its schedules stand still. */
export async function withSystem<T>(
  { vars, itemsPerLibrary, downloader }: BenchOptions,
  measure: (system: BenchSystem) => Promise<T>,
): Promise<T> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'medianest-bench-'))
  try {
    const system = await startSystem({
      stateFolder,
      quiet: true,
      vars: { ...unlimited, ...vars },
      itemsPerLibrary,
      downloader,
    })
    try {
      const { demo, world } = system
      if (!demo || !world) throw new Error('the demo world is missing')
      return await measure({ ...system, demo, world })
    } finally {
      await system.stop()
    }
  } finally {
    await rm(stateFolder, { recursive: true, force: true })
  }
}

export const bearer = ({ accessToken }: { accessToken: string }): Record<string, string> => ({
  authorization: `Bearer ${accessToken}`,
})
