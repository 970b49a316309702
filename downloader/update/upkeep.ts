import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { siteOf } from '#contract/downloader-link.ts'
import type { RestingSite } from '#contract/downloader-link.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Monitor } from '../monitor.ts'
import type { Sites } from '../sites.ts'
import type { Tools } from '../tools.ts'
import type { Workspace } from '../workspace.ts'
import { scheduleUpdates } from './schedule.ts'
import { preferInstalled, update } from './update.ts'
import { createUpdater, oneAtATime } from './updater.ts'

/** Settles which yt-dlp is used from the start on. */
export async function settleProgram(config: Config, workspace: Workspace, tools: Tools): Promise<void> {
  await preferInstalled(createUpdater(config, workspace, tools, new AbortController().signal))
}

/** A canary is one more visitor, and no job finds out from it whether the site has forgiven. */
export const isAtRest = (resting: readonly RestingSite[], url: string): boolean =>
  resting.some(({ site, reason, waitMs }) => site === siteOf(url) && reason !== 'pace' && waitMs > 0)

/** Looks after yt-dlp while the downloader runs, if that is wished; answers how to stop. */
export function keepUpToDate(
  config: Config,
  workspace: Workspace,
  tools: Tools,
  monitor: Monitor,
  sites: Pick<Sites, 'resting'>,
  log: Log,
): () => void {
  if (!config.updatesDaily) return () => undefined
  const stop = new AbortController()
  const updater = createUpdater(config, workspace, tools, stop.signal)
  const mark = join(workspace.tools, 'looked')
  const cancel = scheduleUpdates({
    check: () => oneAtATime(workspace, () => update(updater, { unasked: true })),
    isSiteAtRest: () => isAtRest(sites.resting(), config.canaryUrl),
    troubles: () => monitor.versions().troubles,
    onUpdated: () => void monitor.noticeSwitch().catch(() => undefined),
    lastCheck: async () => (await stat(mark).catch(() => undefined))?.mtimeMs,
    remember: () => writeFile(mark, ''),
    now: Date.now,
    random: Math.random,
    log,
  })
  return () => {
    cancel()
    stop.abort()
  }
}
