import { env } from 'cloudflare:workers'

import { featuresOf } from '../../../src/app.ts'
import { queryOf } from '../../../src/http/feature.ts'
import type { Operation } from '../../../src/http/operation.ts'
import { buildServices } from '../../../src/services.ts'
import { freshAddress, type Ask } from './client.ts'

/** An operation as the Worker has it, with the base of its feature. */
export type Route = Operation & { readonly base: string }

export const features = featuresOf(buildServices(env))

export const routes: readonly Route[] = features.flatMap(({ base, operations }) =>
  operations.map((operation) => ({ ...operation, base })),
)

/** Input an operation accepts. What its schemas take without a value is left out. */
export type Example = {
  readonly param?: Readonly<Record<string, string>> | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly header?: Readonly<Record<string, string>> | undefined
  readonly json?: unknown
  readonly body?: string | undefined
}

/** What is wrong with an example, by the operation's own schemas; empty when it is one. */
export function faultsOf({ request = {}, ...rest }: Route, { param, query, json }: Example): string[] {
  const inputs = { param, query, json: request.json && (json ?? {}) }
  const schemas = { ...request, query: queryOf({ ...rest, request }) }
  return (['param', 'query', 'json'] as const).filter(
    (target) => schemas[target]?.safeParse(inputs[target] ?? {}).success === false,
  )
}

/** The request of an example, from an address of its own. */
export function requestFor(
  { method, base, path, request }: Route,
  { param = {}, query = {}, header = {}, json, body }: Example,
): { readonly method: string; readonly path: string; readonly ask: Ask } {
  const local = path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, (_match, name: string) => param[name] ?? '')
  const search = new URLSearchParams(query).toString()
  return {
    method: method.toUpperCase(),
    path: `/api${base}${local}`.replace(/\/$/, '') + (search && `?${search}`),
    ask: {
      headers: { ...freshAddress(), ...header },
      ...(request?.json && { json: json ?? {} }),
      ...(body !== undefined && { body }),
    },
  }
}
