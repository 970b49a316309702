import type { Kept, Source } from '../../../src/webhooks/delivery.ts'
import { firstIdAt } from '../../../src/webhooks/delivery-id.ts'
import { start, type createReceiver } from './receiver.ts'

type Receiver = ReturnType<typeof createReceiver>

let nextKey = 0

/** A delivery that waits to be processed. */
export async function stored(
  { store }: Receiver,
  source: Source,
  event: string,
  kept: Kept = {},
  at = start,
): Promise<number> {
  const id = firstIdAt(at) + nextKey++
  const delivery = {
    id,
    source,
    event,
    verdict: 'verified',
    dedupKey: `key ${id}`,
    status: 'stored',
    kept,
  } as const
  await store.insertUnlessKnown(delivery, 0)
  return id
}

export const movie = { title: 'The Matrix (1999)', mediaType: 'movie', requestId: '12' }
