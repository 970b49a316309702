import type { DownloaderState, DownloaderVersions } from '#contract/downloader-link.ts'
import { freeBytes, isWritable } from './disk.ts'
import type { Log } from './log.ts'
import { checkTools, reportVersions } from './versions.ts'
import type { ToolPaths, ToolVersions, Trouble } from './versions.ts'

export type MonitorOptions = {
  /** Asked anew each time: an update may have put another program in use. */
  readonly tools: () => ToolPaths
  readonly environment: Readonly<Record<string, string>>
  readonly libraryDirectory: string
  readonly reserveBytes: number
  readonly onChange: (state: DownloaderState, versions: DownloaderVersions) => void
  /** Whether others take this much for news. */
  readonly isNews: (freeBytes: number) => boolean
  readonly now: () => Date
  readonly log: Log
}

export type Monitor = {
  readonly state: () => DownloaderState
  readonly versions: () => ToolVersions
  readonly hasSpace: () => boolean
  readonly refreshTools: () => Promise<void>
  /** Looks at the tools when they are others than those that were looked at. */
  readonly noticeSwitch: () => Promise<void>
  readonly refreshDisk: () => Promise<void>
  /** Looks at what is free alone, which costs nothing and leaves no trace. */
  readonly refreshSpace: () => Promise<void>
  /** Told whether YouTube has kept back some of the forms of a video. */
  readonly noteFormats: (missing: boolean) => void
  readonly stop: () => void
}

const toolsIntervalMs = 5 * 60_000
const diskIntervalMs = 30_000
const noVersions: ToolVersions = {
  ytDlp: undefined,
  ytDlpAgeDays: undefined,
  ffmpeg: undefined,
  jsRuntime: undefined,
  challengeSolver: undefined,
  troubles: [],
}

/** Keeps an eye on programs and disk, and says when something changes. */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const { tools, environment, libraryDirectory, reserveBytes, onChange, isNews, now, log } = options
  let lookedAt = tools()
  let versions = noVersions
  let free = 0
  let writable = true
  let formatsMissing = false
  let told = ''
  let toldVersions = ''

  const troubles = (): Trouble[] => [
    ...versions.troubles,
    ...(formatsMissing ? (['formats-missing'] as const) : []),
    ...(writable ? [] : (['library-not-writable'] as const)),
    ...(free < reserveBytes ? (['low-space'] as const) : []),
  ]
  const state = (): DownloaderState => ({ freeBytes: free, troubles: troubles() })
  const tell = (): void => {
    const [nowTroubles, nowVersions] = [troubles().join(), JSON.stringify(reportVersions(versions))]
    if (nowTroubles !== told) log.warn('troubles', { troubles: nowTroubles })
    if (nowVersions !== toldVersions) log.info('versions', reportVersions(versions))
    if (nowTroubles === told && nowVersions === toldVersions && !isNews(free)) return
    told = nowTroubles
    toldVersions = nowVersions
    onChange(state(), reportVersions(versions))
  }
  const readTools = async (): Promise<void> => {
    lookedAt = tools()
    versions = await checkTools(lookedAt, environment, now())
  }
  const readSpace = async (): Promise<void> => {
    free = await freeBytes(libraryDirectory).catch(() => 0)
  }
  const readDisk = async (): Promise<void> => {
    await readSpace()
    writable = await isWritable(libraryDirectory)
  }
  const refreshTools = (): Promise<void> => readTools().then(tell)
  const noticeSwitch = async (): Promise<void> => {
    if (tools().ytDlp !== lookedAt.ytDlp) await refreshTools()
  }
  const refreshDisk = (): Promise<void> => readDisk().then(noticeSwitch).then(tell)

  await Promise.all([readTools(), readDisk()])
  tell()
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
    noticeSwitch,
    refreshDisk,
    refreshSpace: () => readSpace().then(tell),
    noteFormats: (missing) => {
      formatsMissing = missing
      tell()
    },
    stop: () => timers.forEach(clearInterval),
  }
}
