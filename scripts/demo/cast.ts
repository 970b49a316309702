import assert from 'node:assert/strict'

import type { Demo } from '../local/demo-file.ts'
import type { DemoWorld } from '../local/demo-world.ts'
import { createClient, type Client, type Person } from './client.ts'
import type { Listener } from './listener.ts'

export type Stage = { readonly demo: Demo; readonly world: DemoWorld; readonly libraryFolder: string }

type Cast = Stage & {
  readonly client: Client
  readonly admin: Person
  readonly frank: Person
  readonly fatima: Person
  readonly hears: Map<string, Listener>
  readonly notes: { downloadId?: string; ratingKey?: string; videoUrl?: string; frank?: Person }
}

export type Step = { readonly title: string; readonly play: (cast: Cast) => Promise<string | undefined> }

export function castOf(stage: Stage): Cast {
  const { demo } = stage
  const [frank, fatima] = demo.friends
  assert(frank && fatima)
  return {
    ...stage,
    client: createClient(demo.baseUrl),
    admin: demo.admin,
    frank,
    fatima,
    hears: new Map(),
    notes: {},
  }
}

export function leave({ hears }: Cast): void {
  for (const listener of hears.values()) listener.close()
}
