import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import type { PlexAccess } from '../../world/plex/access.ts'
import { startPlexStandIn, type PlexStandIn, type PlexStandInOptions } from '../../world/plex/server.ts'

const Row = z.record(z.string(), z.unknown())
const Body = z.object({ MediaContainer: z.record(z.string(), z.unknown()) })
const Container = z.looseObject({
  Directory: z.array(Row).default([]),
  Metadata: z.array(Row).default([]),
  Hub: z.array(Row).default([]),
  Activity: z.array(Row).default([]),
})
export type Container = z.output<typeof Container>

export type Caller = {
  readonly plex: PlexStandIn
  readonly folder: string
  readonly grants: PlexAccess[]
  /** Any call; the owner's token unless the init names another. */
  readonly call: (path: string, init?: RequestInit) => Promise<Response>
  readonly container: (path: string, init?: RequestInit) => Promise<Container>
}

/** A server of the test's own, with an owner and a friend who sees the shows, gone when the test ends. */
export async function startPlex(options: Partial<PlexStandInOptions> = {}): Promise<Caller> {
  const folder = options.youtubeFolder ?? (await mkdtemp(path.join(os.tmpdir(), 'plex-world-')))
  const grants = [
    { token: 'owner-token', owner: true, sections: [] },
    { token: 'friend-token', owner: false, sections: ['2'] },
  ]
  const plex = await startPlexStandIn({ scanMs: 60, ...options, youtubeFolder: folder, access: () => grants })
  onTestFinished(async () => {
    await plex.close()
    await rm(folder, { recursive: true, force: true })
  })
  const call = (target: string, init: RequestInit = {}) => {
    const headers = new Headers({ accept: 'application/json', 'x-plex-token': 'owner-token' })
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
    return fetch(`${plex.url}${target}`, { ...init, headers })
  }
  const container = async (target: string, init?: RequestInit) => {
    const answer = await call(target, init)
    if (answer.status !== 200) throw new Error(`${target} answered ${answer.status}`)
    return z.object({ MediaContainer: Container }).parse(await answer.json()).MediaContainer
  }
  return { plex, folder, grants, call, container }
}

/** The container as it came, without any defaults. */
export async function rawContainer(answer: Response): Promise<Record<string, unknown>> {
  return Body.parse(await answer.json()).MediaContainer
}

export const asFriend: RequestInit = { headers: { 'x-plex-token': 'friend-token' } }

export function fields(rows: readonly Record<string, unknown>[], name: string): unknown[] {
  return rows.map((row) => row[name])
}

/** Builds a query without losing the oddities of keys such as `addedAt>>`. */
export function withQuery(target: string, query: Record<string, string>): string {
  return `${target}?${new URLSearchParams(query)}`
}
