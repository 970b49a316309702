import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'

const YoutubeHealth = z.object({ data: z.object({ downloadersConnected: z.int() }) })

export async function isLive(baseUrl: string): Promise<boolean> {
  const answer = await fetch(`${baseUrl}/api/health/live`)
  await answer.body?.cancel()
  return answer.ok
}

export async function hasDownloader(baseUrl: string): Promise<boolean> {
  const answer = await fetch(`${baseUrl}/api/youtube/health`)
  const health = YoutubeHealth.safeParse(await answer.json().catch(() => undefined))
  return (health.data?.data.downloadersConnected ?? 0) > 0
}

/** Asks again and again; complains when it takes too long. */
export async function until(
  isSo: () => Promise<boolean>,
  complaint: string,
  { patienceMs = 30_000, pauseMs = 50 } = {},
): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    if (await isSo().catch(() => false)) return
    if (performance.now() > deadline) throw new Error(complaint)
    await sleep(pauseMs)
  }
}
