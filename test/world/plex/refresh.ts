import { sendContainer, sendDone, sendError } from './answers.ts'
import { rows } from './row.ts'
import type { Call, Route } from './world.ts'

const refresh = /^\/library\/sections\/([^/]+)\/refresh$/

export const refreshRoutes: readonly Route[] = [
  { method: 'GET', pattern: refresh, ownerOnly: true, handle: (call) => startScans(call) },
  // Only the documented call names the activity it started.
  { method: 'POST', pattern: refresh, ownerOnly: true, handle: (call) => startScans(call, { named: true }) },
  { method: 'DELETE', pattern: refresh, ownerOnly: true, handle: cancelScans },
  { method: 'GET', pattern: /^\/activities$/, handle: showActivities },
]

function sectionKeys({ params: [key = ''], world }: Call): readonly string[] {
  if (key === 'all') return world.catalogue.sections.map((section) => section.key)
  return world.catalogue.section(key) ? [key] : []
}

function startScans(call: Call, { named = false } = {}): void {
  const { exchange, query, world } = call
  const keys = sectionKeys(call)
  const path = query.get('path')
  const asked = { ...(path ? { path } : {}), force: query.get('force') === '1' }
  const uuids = keys.map((key) => world.scanner.request(key, asked))
  const [uuid] = uuids
  if (!uuid) return sendError(exchange, 404)
  sendDone(exchange, named ? { 'x-plex-activity': uuid } : {})
}

function cancelScans(call: Call): void {
  const keys = sectionKeys(call)
  if (keys.length === 0) return sendError(call.exchange, 404)
  for (const key of keys) call.world.scanner.cancel(key)
  sendDone(call.exchange)
}

/** The scans that run, for the owner; others have none of their own. */
function showActivities({ exchange, viewer, world }: Call): void {
  const running = viewer.owner ? world.scanner.activities() : []
  const list = running.map(({ uuid, section, progress }) => ({
    uuid,
    type: 'library.update.section',
    cancellable: false,
    userID: 1,
    title: `Scanning ${world.catalogue.section(section)?.title ?? ''}`,
    subtitle: 'Looking for new files',
    progress,
    Context: { librarySectionID: section },
  }))
  sendContainer(exchange, { size: list.length, ...rows('Activity', list) })
}
