import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'

import type { BenchSystem } from './bench-system.ts'
import { load, type Answer, type Call, type LoadOptions, type LoadResult } from './load.ts'
import { compare, type Contestant, type Figures } from './rounds.ts'

const Counted = z.object({ count: z.number() })

export type Webhooks = {
  readonly compareWith: (yardstick: Contestant) => Promise<Figures[]>
  /** As fast as a busy source sends, evenly, whether or not the answers keep up. */
  readonly stream: (stream: { readonly perSecond: number; readonly seconds: number }) => Promise<LoadResult>
  /** A few at once, worked off. */
  readonly burst: (count: number) => Promise<LoadResult>
}

export function webhooksOf({ baseUrl, demo, worker }: BenchSystem): Webhooks {
  const call = pushes(demo.webhooks.githubSecret)
  const accepts = ({ status }: Answer): boolean => status === 202

  /** Until all that was accepted has been worked off. */
  const settled = async (): Promise<void> => {
    const database = await worker.miniflare.getD1Database('DB')
    const query = database.prepare(
      "SELECT count(*) AS count FROM deliveries WHERE status IN ('stored', 'retrying')",
    )
    const deadline = Date.now() + 20_000
    while (Counted.parse(await query.first()).count > 0) {
      if (Date.now() > deadline) throw new Error('deliveries were accepted and not worked off')
      await sleep(50)
    }
  }

  const some = async (
    options: Pick<LoadOptions, 'count' | 'concurrency' | 'perSecond'>,
  ): Promise<LoadResult> => {
    const result = await load({ baseUrl, call, accepts, ...options })
    await settled()
    return result
  }

  return {
    compareWith: (yardstick) => {
      const { concurrency } = yardstick
      const name = 'POST /api/webhooks/github'
      return compare([yardstick, { name, baseUrl, call, accepts, settled, concurrency, count: 200 }])
    },
    stream: ({ perSecond, seconds }) => some({ perSecond, count: perSecond * seconds, concurrency: 64 }),
    burst: (count) => some({ count, concurrency: 4 }),
  }
}

/** Pushes as GitHub sends and signs them, no two alike. */
function pushes(secret: string): () => Call {
  return () => {
    const body = JSON.stringify({
      ref: 'refs/heads/main',
      after: randomUUID(),
      repository: { full_name: 'harbour/house', private: true },
      commits: Array.from({ length: 3 }, () => ({ id: randomUUID(), message: 'Make the house a home' })),
    })
    return {
      method: 'POST',
      path: '/api/webhooks/github',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
      body,
    }
  }
}
