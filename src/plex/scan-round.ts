import type { ScannedPlex } from './scanning.ts'

export type ScanRound = Pick<ScannedPlex, 'places' | 'activities' | 'shown'>

/** PMS for one round: what several scans ask after is asked once. */
export function createScanRound(plex: ScannedPlex): ScanRound {
  const answers = new Map<string, Promise<unknown>>()
  const once = async <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    const answer = answers.get(name) ?? ask()
    answers.set(name, answer)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a name always asks the same
    return answer as Promise<T>
  }
  return {
    places: () => once('places', () => plex.places()),
    activities: () => once('activities', () => plex.activities()),
    shown: (libraryKey, rows) => once(`shown:${libraryKey}:${rows}`, () => plex.shown(libraryKey, rows)),
  }
}
