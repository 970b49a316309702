import type { ScanOutcome } from '#contract/live.ts'

import type { LiveRooms } from '../live/ports.ts'
import { outcomeFor, type Verdict } from '../plex/scan-verdict.ts'
import type { EndedScan } from '../plex/scan.ts'
import type { Waiting } from '../plex/scanning.ts'

type Ears = {
  readonly scanned: (downloadId: string, ratingKey: string | undefined) => Promise<void>
  readonly noteScan: (deliveryIds: readonly number[], outcome: ScanOutcome) => Promise<void>
  readonly publish: LiveRooms['publish']
}

/**
 * Tells everybody who waited for a scan how it has ended. What can fail comes first and does no harm when it is done
 * again, so that nobody hears an event twice.
 */
export async function tellOfScan(
  { scanned, noteScan, publish }: Ears,
  { libraryKey, outcome }: EndedScan,
  waiting: readonly Waiting[],
  verdict: Verdict,
): Promise<void> {
  for (const { requester } of waiting) {
    if (requester.kind !== 'download') continue
    await scanned(requester.downloadId, verdict.found.get(requester.file))
  }
  const deliveries = waiting.flatMap(({ requester }) =>
    requester.kind === 'delivery' ? [requester.deliveryId] : [],
  )
  if (deliveries.length > 0) await noteScan(deliveries, outcome)

  const library = libraryKey === undefined ? {} : { libraryKey }
  for (const { userId, scanId, outcome } of usersOf(waiting, verdict)) {
    await publish(
      { kind: 'user', userId },
      { event: 'plex:library:scanned', data: { ...library, scanId, outcome } },
    )
  }
  if (libraryKey === undefined) return
  await publish(
    { kind: 'section', libraryKey },
    { event: 'plex:library:scanned', data: { libraryKey, outcome } },
  )
}

/** Each user once a scan: who waits for several files has seen them only when all are there. */
function usersOf(waiting: readonly Waiting[], verdict: Verdict) {
  const told = new Map<string, { userId: string; scanId: string; outcome: ScanOutcome }>()
  for (const { scanId, requester } of waiting) {
    if (requester.kind !== 'user') continue
    const { userId } = requester
    const key = `${scanId} ${userId}`
    const before = told.get(key)?.outcome ?? 'seen'
    const outcome = before === 'seen' ? outcomeFor(requester, verdict) : before
    told.set(key, { userId, scanId, outcome })
  }
  return told.values()
}
