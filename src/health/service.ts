import {
  overall,
  serviceNames,
  type HealthStatus,
  type ServiceHealth,
  type ServiceName,
} from '#contract/health.ts'

import type { Caller } from '../http/env.ts'
import { confirmed } from './hysteresis.ts'
import type { HealthDependencies, Probed, Sample } from './ports.ts'
import { latencies, percentile, summarise, uptimePercent } from './statistics.ts'

const probeMs = 5_000
const rememberMs = 5_000
const staleAfterMs = 3 * 60_000
const keepMs = 48 * 3_600_000
/** Enough to find the last confirmed state of a service, unless it has been flapping all the while. */
const roundsLookedAt = 16
const maxPoints = 240

export type Health = ReturnType<typeof createHealth>

export function createHealth({ probes, store, publish, log, now, wait }: HealthDependencies) {
  let latest: { readonly samples: readonly Sample[]; readonly readAt: number } | undefined
  /** Rounds of this isolate: they count also when the database would not take them. */
  let own: readonly Sample[] = []

  async function look(service: ServiceName, at: number): Promise<Sample> {
    const startedAt = now()
    const tooLate = wait(probeMs).then((): Probed => ({ status: 'unhealthy', cause: 'timeout' }))
    const attempt = async (): Promise<Probed> => {
      const probed = await probes[service]()
      return { latencyMs: Math.max(0, now() - startedAt), ...probed }
    }
    try {
      return { ...(await Promise.race([attempt(), tooLate])), service, at }
    } catch (error) {
      log('warn', 'probe-failed', { service, cause: String(error) })
      return { status: 'unhealthy', cause: 'error', service, at }
    }
  }

  async function attempted<T>(what: string, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      log('error', 'health-store-failed', { what, cause: String(error) })
      return undefined
    }
  }

  /** The last samples, at most a few seconds old; `undefined` when the database cannot be asked. */
  async function lastSamples(): Promise<readonly Sample[] | undefined> {
    if (latest && Math.abs(now() - latest.readAt) < rememberMs) return latest.samples
    const samples = await attempted('read', store.recent(2))
    if (samples) latest = { samples, readAt: now() }
    return samples
  }

  async function announce(round: readonly Sample[], past: readonly Sample[]): Promise<void> {
    for (const { service, status } of round) {
      const before = past.filter((sample) => sample.service === service).map((sample) => sample.status)
      const from = confirmed(before)
      const to = confirmed([...before, status])
      if (from === to) continue
      log('info', 'health-changed', { service, from, to })
      await publish({ kind: 'admins' }, { event: 'health:changed', data: { service, from, to } })
    }
  }

  return {
    /** Looks at everything at once, remembers what was found, and tells admins of what has changed. */
    async round(): Promise<readonly Sample[]> {
      const at = now()
      const [round, stored = []] = await Promise.all([
        Promise.all(serviceNames.map((service) => look(service, at))),
        attempted('read', store.recent(roundsLookedAt)),
      ])
      const past = merge(stored, own)
      own = [...own, ...round].slice(-roundsLookedAt * serviceNames.length)
      await attempted('write', store.record(round, at - keepMs))
      latest = undefined
      await announce(round, past)
      return round
    },

    async system(caller: Caller | undefined): Promise<{ status: HealthStatus; services?: ServiceHealth[] }> {
      const samples = await lastSamples()
      const services = serviceNames.map((service) =>
        samples ? current(service, samples, now()) : withoutDatabase(service, now()),
      )
      const status = overall(services)
      return caller ? { status, services: services.map((each) => shownTo(caller, each)) } : { status }
    },

    async service(caller: Caller, service: ServiceName, hours: number) {
      const since = now() - hours * 3_600_000
      const samples = await attempted('read', store.history(service, since))
      const state = samples ? current(service, samples, now()) : withoutDatabase(service, now())
      const uptime = uptimePercent((samples ?? []).map(({ status }) => status))
      const times = latencies(samples ?? [])
      const [p50Ms, p95Ms] = [percentile(times, 50), percentile(times, 95)]
      const intervalMs = Math.ceil((hours * 60) / maxPoints) * 60_000
      return {
        ...shownTo(caller, state),
        hours,
        samples: samples?.length ?? 0,
        ...(uptime !== undefined && { uptimePercent: uptime }),
        ...(p50Ms !== undefined && p95Ms !== undefined && { latency: { p50Ms, p95Ms } }),
        points: summarise(samples ?? [], intervalMs).map(({ at, ...point }) => ({
          at: new Date(at).toISOString(),
          ...shownTo(caller, point),
        })),
      }
    },
  }
}

/** What was stored and what only this isolate knows, each sample once, oldest first. */
function merge(stored: readonly Sample[], own: readonly Sample[]): readonly Sample[] {
  const byKey = new Map([...own, ...stored].map((sample) => [`${sample.at} ${sample.service}`, sample]))
  return [...byKey.values()].toSorted((a, b) => a.at - b.at)
}

/** An old sample says when it was taken and no more. */
function current(service: ServiceName, samples: readonly Sample[], now: number): ServiceHealth {
  const last = samples.filter((sample) => sample.service === service).toSorted((a, b) => b.at - a.at)[0]
  if (!last) return { service, status: 'unknown' }
  const { at, status, cause, latencyMs } = last
  const checkedAt = new Date(at).toISOString()
  if (now - at > staleAfterMs) return { service, status: 'unknown', checkedAt }
  return {
    service,
    status,
    checkedAt,
    ...(latencyMs !== undefined && { latencyMs }),
    ...(cause && { cause }),
  }
}

function withoutDatabase(service: ServiceName, now: number): ServiceHealth {
  if (service !== 'database') return { service, status: 'unknown' }
  return { service, status: 'unhealthy', cause: 'unreachable', checkedAt: new Date(now).toISOString() }
}

function shownTo<T extends { readonly cause?: unknown }>(caller: Caller, state: T): T | Omit<T, 'cause'> {
  if (caller.role === 'admin') return state
  const { cause: _hidden, ...rest } = state
  return rest
}
