import type { DownloaderState } from '#contract/downloader-link.ts'
import { freeBytes, isWritable } from './disk.ts'
import type { Log } from './log.ts'
import { checkTools } from './versions.ts'
import type { ToolPaths, ToolVersions, Trouble } from './versions.ts'

export type MonitorOptions = {
  readonly tools: ToolPaths
  readonly environment: Readonly<Record<string, string>>
  readonly libraryDirectory: string
  readonly reserveBytes: number
  readonly onChange: (state: DownloaderState) => void
  readonly log: Log
}

export type Monitor = {
  readonly state: () => DownloaderState
  readonly versions: () => ToolVersions
  readonly hasSpace: () => boolean
  readonly refreshTools: () => Promise<void>
  readonly refreshDisk: () => Promise<void>
  readonly stop: () => void
}

const toolsIntervalMs = 5 * 60_000
const diskIntervalMs = 30_000
/** Smaller changes of free space are nobody's concern. */
const notableChange = 0.01

/** Keeps an eye on programs and disk, and says when something changes. */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const { tools, environment, libraryDirectory, reserveBytes, onChange, log } = options
  let versions: ToolVersions = { ytDlp: undefined, ffmpeg: undefined, troubles: [] }
  let free = 0
  let writable = true
  let told = ''
  let toldFree = 0

  const troubles = (): Trouble[] => [
    ...versions.troubles,
    ...(writable ? [] : (['library-not-writable'] as const)),
    ...(free < reserveBytes ? (['low-space'] as const) : []),
  ]
  const state = (): DownloaderState => ({ freeBytes: free, troubles: troubles() })
  const tell = (): void => {
    const now = troubles().join()
    if (now !== told) log.warn('troubles', { troubles: now })
    if (now === told && Math.abs(free - toldFree) <= toldFree * notableChange) return
    told = now
    toldFree = free
    onChange(state())
  }
  const readTools = async (): Promise<void> => {
    versions = await checkTools(tools, environment)
  }
  const readDisk = async (): Promise<void> => {
    free = await freeBytes(libraryDirectory).catch(() => 0)
    writable = await isWritable(libraryDirectory)
  }
  const refreshTools = (): Promise<void> => readTools().then(tell)
  const refreshDisk = (): Promise<void> => readDisk().then(tell)

  await Promise.all([readTools(), readDisk()])
  told = troubles().join()
  toldFree = free
  if (told !== '') log.warn('troubles', { troubles: told })
  const failed = (error: unknown): void => log.error('a check failed', { error })
  const timers = [
    setInterval(() => void refreshTools().catch(failed), toolsIntervalMs),
    setInterval(() => void refreshDisk().catch(failed), diskIntervalMs),
  ]
  return {
    state,
    versions: () => versions,
    hasSpace: () => writable && free >= reserveBytes,
    refreshTools,
    refreshDisk,
    stop: () => timers.forEach(clearInterval),
  }
}
