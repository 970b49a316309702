import { linkProtocol, maxKept } from '#contract/downloader-link.ts'
import type { FromDownloader } from '#contract/downloader-link.ts'
import type { Config } from './config.ts'
import type { Monitor } from './monitor.ts'
import type { Slots } from './slots.ts'
import type { Standing } from './standing.ts'
import { reportVersions } from './versions.ts'
import { jobsWithParts } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** What the Worker is told first on each connection. */
export function greeting(
  config: Config,
  workspace: Workspace,
  monitor: Monitor,
  standing: Standing,
  slots: Slots,
): FromDownloader {
  const holding = slots.holding()
  const isHeld = (id: string): boolean => holding.some(({ jobId }) => jobId === id)
  return {
    type: 'hello',
    protocol: linkProtocol,
    downloaderId: config.downloaderId,
    versions: reportVersions(monitor.versions()),
    slots: config.slots,
    state: standing.tell(monitor.state()),
    holding,
    kept: jobsWithParts(workspace)
      .filter((id) => !isHeld(id))
      .slice(0, maxKept),
  }
}
