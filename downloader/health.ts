import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import * as z from 'zod'

import { DownloaderState, DownloaderVersions, leaseMs } from '#contract/downloader-link.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Workspace } from './workspace.ts'

export const Health = z.object({
  status: z.enum(['ok', 'degraded', 'starting', 'stopping']),
  downloaderId: z.string(),
  connected: z.boolean(),
  /** Since when it is connected, or is not. */
  since: z.iso.datetime(),
  slots: z.int(),
  running: z.int(),
  /** Results the Worker has not acknowledged yet. */
  outbox: z.int(),
  freeBytes: z.int(),
  troubles: DownloaderState.shape.troubles,
  versions: DownloaderVersions,
})
export type Health = z.output<typeof Health>

export type HealthFacts = Omit<Health, 'status' | 'since'>

export type HealthWatch = {
  /** To be told at each sign of life of the Worker, with whether the connection stood before it. */
  readonly heard: (wasConnected: boolean) => void
  readonly stopping: () => void
  readonly report: (facts: HealthFacts) => { readonly well: boolean; readonly health: Health }
}

/** Well is whoever has heard of the Worker within a lease: troubles are told, but no restart would mend them. */
export function watchHealth(now: () => number): HealthWatch {
  const startedAt = now()
  let connectedAt = startedAt
  let heardAt: number | undefined
  let stopping = false
  return {
    heard: (wasConnected) => {
      heardAt = now()
      if (!wasConnected) connectedAt = heardAt
    },
    stopping: () => {
      stopping = true
    },
    report: (facts) => {
      const { connected, troubles } = facts
      const changedAt = connected ? connectedAt : (heardAt ?? startedAt)
      const lives = heardAt !== undefined && (connected || now() - heardAt < leaseMs)
      const running = connected && troubles.length === 0 ? 'ok' : 'degraded'
      const status = stopping ? 'stopping' : heardAt === undefined ? 'starting' : running
      return {
        well: lives && !stopping,
        health: { status, since: new Date(changedAt).toISOString(), ...facts },
      }
    },
  }
}

export type HealthServer = { readonly port: number; readonly close: () => Promise<void> }

/** Answers `GET /health` on the loopback interface. */
export async function serveHealth(
  port: number,
  report: () => ReturnType<HealthWatch['report']>,
): Promise<HealthServer> {
  const server = createServer(({ method, url }, response) => {
    const body = (status: number, content: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      response.end(JSON.stringify(content))
    }
    if (url !== '/health') return body(404, { error: 'not-found' })
    if (method !== 'GET' && method !== 'HEAD') return body(405, { error: 'method-not-allowed' })
    const { well, health } = report()
    body(well ? 200 : 503, health)
  })
  server.maxConnections = 16
  server.requestTimeout = 5000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

/** Offers the state of health at the port of the settings. Downloads matter more than being asked about them. */
export async function offerHealth(
  config: Pick<Config, 'healthPort'>,
  workspace: Pick<Workspace, 'healthPort'>,
  report: () => ReturnType<HealthWatch['report']>,
  log: Log,
): Promise<() => Promise<void>> {
  if (config.healthPort === undefined) return async () => undefined
  try {
    const { port, close } = await serveHealth(config.healthPort, report)
    await writeFile(workspace.healthPort, String(port))
    log.info('health is told', { port })
    return close
  } catch (error) {
    log.error('health cannot be told: choose another HEALTH_PORT', { port: config.healthPort, error })
    return async () => undefined
  }
}
