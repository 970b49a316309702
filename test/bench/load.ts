import { Agent, request, type IncomingHttpHeaders } from 'node:http'

export type Call = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export type LoadOptions = {
  readonly baseUrl: string
  readonly count: number
  /** Calls under way at once, each on a connection of its own that is kept. */
  readonly concurrency: number
  /** The call to make as the n-th. */
  readonly call: (index: number) => Call
  /** Whether this is the answer that is to be measured. */
  readonly accepts: (answer: Answer) => boolean
  /** Starts no more than this many a second, evenly; as fast as it goes when absent. */
  readonly perSecond?: number
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: number
}

export type LoadResult = {
  /** Milliseconds of each call, in order of size. */
  readonly latencies: readonly number[]
  readonly seconds: number
  readonly statuses: ReadonlyMap<number, number>
  /** Answers that were not accepted; what was measured with them among it says nothing. */
  readonly wrong: number
  /** Calls without any answer. */
  readonly failures: number
}

/** Makes a bounded number of calls and takes the time of each. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { baseUrl, count, concurrency, call } = options
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, scheduling: 'fifo' })
  const statuses = new Map<number, number>()
  const latencies: number[] = []
  let wrong = 0
  let failures = 0
  let next = 0
  const startedAt = process.hrtime.bigint()

  const caller = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      const plannedMs = options.perSecond && (index / options.perSecond) * 1_000
      if (plannedMs !== undefined) await untilMs(startedAt, plannedMs)
      // From when it was due: a call that had to wait for its turn has waited, too.
      const fromMs = plannedMs ?? msSince(startedAt)
      try {
        const answer = await send(baseUrl, agent, call(index))
        latencies.push(msSince(startedAt) - fromMs)
        const { status } = answer
        if (!options.accepts(answer)) wrong += 1
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      } catch {
        failures += 1
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, caller))
    return {
      latencies: latencies.toSorted((a, b) => a - b),
      seconds: msSince(startedAt) / 1_000,
      statuses,
      wrong,
      failures,
    }
  } finally {
    agent.destroy()
  }
}

/** One call, its answer read to the end. */
export function send(baseUrl: string, agent: Agent, { method, path, headers, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { agent, method: method ?? 'GET', headers: { ...headers, ...length } }
    const sent = request(new URL(path, baseUrl), options, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function msSince(at: bigint): number {
  return Number(process.hrtime.bigint() - at) / 1e6
}

async function untilMs(startedAt: bigint, ms: number): Promise<void> {
  const wait = ms - msSince(startedAt)
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
}
