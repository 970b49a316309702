import * as z from 'zod'

import type { ask as askWorker } from './client.ts'
import { requestFor, type Example, type Route } from './operations.ts'

/** A place of a request that a client fills in. */
export type Slot = {
  readonly target: 'param' | 'query' | 'header' | 'json'
  readonly path: readonly string[]
  readonly isList: boolean
}

/** All of them, within one another too. */
export function slotsOf({ request = {} }: Route): Slot[] {
  return (['param', 'query', 'header', 'json'] as const).flatMap((target) =>
    slotsIn(request[target]).map((slot) => ({ target, ...slot })),
  )
}

function slotsIn(schema: unknown, path: readonly string[] = []): Omit<Slot, 'target'>[] {
  const inner = withoutDefault(schema)
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape).flatMap(([name, member]) => slotsIn(member, [...path, name]))
  return inner === undefined ? [] : [{ path, isList: inner instanceof z.ZodArray }]
}

const withoutDefault = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? withoutDefault(schema.unwrap()) : schema

export const placeOf = ({ id }: Route, { target, path }: Slot) => `${id} ${target} ${path.join('.')}`

const texts = z.record(z.string(), z.string()).optional()
const AnExample = z.object({ param: texts, query: texts, header: texts, json: z.unknown().optional() })

/** The example with that in each of those places. */
export function exampleWith(example: Example, slots: readonly Slot[], value: unknown): Example {
  const filled = slots.reduce<unknown>((all, { target, path, isList }) => {
    // What is not JSON holds nothing else than text, and whole letters.
    const asSent = target !== 'json' ? String(value).toWellFormed() : isList ? [value] : value
    return put(all, [target, ...path], asSent)
  }, example)
  return AnExample.parse(filled)
}

const Members = z.record(z.string(), z.unknown()).catch({})

function put(into: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const members = Members.parse(into)
  return { ...members, [name]: put(members[name], rest, value) }
}

/** Sends examples to addresses that a browser would not have tidied: every letter that could part them is encoded. */
export function sender(through: typeof askWorker, token: string) {
  return (route: Route, example: Example): Promise<Response> => {
    const param = Object.fromEntries(
      Object.entries(example.param ?? {}).map(([name, value]) => [name, encodeURIComponent(value)]),
    )
    const { method, path, ask } = requestFor(route, { ...example, param })
    return through(method, path, { ...ask, token })
  }
}

/** A call of Plex, but for its values: what no text may change. */
export const shapeOfCall = ({ path, query }: { readonly path: string; readonly query: string }): string =>
  `${path.replaceAll(/\d+/g, 'N')} ${[...new URLSearchParams(query).keys()].join()}`

const atOnce = 4

/** Some at a time: one by one takes long, and all at once keep each other from their answers. */
export async function forAll<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (let start = 0; start < all.length; start += atOnce)
    done.push(...(await Promise.all(all.slice(start, start + atOnce).map(act))))
  return done
}
