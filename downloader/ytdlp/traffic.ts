export type Traffic = {
  readonly hear: (line: string) => void
  /** How long the site that last refused for too many requests wants to be left alone. */
  readonly retryAfterMs: () => number | undefined
}

/** Listens to the traffic that yt-dlp prints: nothing else of it tells what `Retry-After` said. */
export function createTraffic(now: () => number, onRefused: () => void = () => undefined): Traffic {
  let refused = false
  let askedMs: number | undefined
  return {
    hear: (line) => {
      const status = /^reply: ['"]HTTP\/[\d.]+ (\d{3})\b/.exec(line)?.[1]
      if (status !== undefined) {
        refused = status === '429'
        if (refused) onRefused()
      }
      const value = refused ? /^header: retry-after: (.+)$/i.exec(line)?.[1] : undefined
      if (value !== undefined) askedMs = parseRetryAfter(value.trim(), now()) ?? askedMs
    },
    retryAfterMs: () => askedMs,
  }
}

/** Seconds, or the date of an HTTP header. */
function parseRetryAfter(value: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const at = /^[A-Za-z]{3},/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
