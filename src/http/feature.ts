import { zValidator } from '@hono/zod-validator'
import { Hono, type Context, type MiddlewareHandler, type ValidationTargets } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import type { AppEnv } from './env.ts'
import { admit, identify } from './middleware/guard.ts'
import type { Handled, Handler, Operation, OperationRequest } from './operation.ts'

export type Feature = {
  /** Below `/api`. */
  readonly base: string
  readonly operations: readonly Operation[]
  readonly routes: Hono<AppEnv>
}

type Register = <const O extends Operation>(operation: O, handler: Handler<O>) => void

const maxJsonBytes = 64 * 1024
const NoQuery = z.strictObject({})

/**
 * Gathers the operations of a feature. Each passes, in this order: who is it, is the input right, is the session
 * alive and is there allowance left, the handler. So bad input costs nothing, and a stranger learns nothing.
 */
export function feature(base: string, define: (on: Register) => void): Feature {
  const operations: Operation[] = []
  const routes = new Hono<AppEnv>()
  define((operation, handler) => {
    operations.push(operation)
    routes.on(
      operation.method.toUpperCase(),
      [operation.path],
      named(operation.id),
      identify(operation.access),
      ...validators(operation),
      admit(operation.access, operation.limit),
      async (c) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is promised, the middleware before has put there
        const answer = await handler(handled(c, operation) as Handled<typeof operation>)
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a handler makes with `c.json` is a response
        return answer as Response
      },
    )
  })
  return { base, operations, routes }
}

function handled(c: Context<AppEnv>, { request = {} }: Operation): Handled<Operation> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Hono knows validated targets by the types of a route only
  const valid = (target: keyof ValidationTargets): unknown => c.req.valid(target as never)
  return {
    c,
    background: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
    ...(request.param && { param: valid('param') }),
    ...(request.query && { query: valid('query') }),
    ...(request.header && { header: valid('header') }),
    ...(request.json && { json: valid('json') }),
    ...(c.var.caller && { caller: c.var.caller }),
  }
}

/** A machine's query is its own affair: senders of webhooks put there what they please. */
export function queryOf({ access, request }: Operation): z.ZodObject | undefined {
  return request?.query ?? (access === 'machine' ? undefined : NoQuery)
}

function validators(operation: Operation): MiddlewareHandler<AppEnv>[] {
  const { param, header, json } = operation.request ?? {}
  const query = queryOf(operation)
  return [
    ...(param ? [validate('param', param)] : []),
    ...(query ? [validate('query', query)] : []),
    ...(header ? [validate('header', header)] : []),
    ...(json ? [requireJson, limitBody, validate('json', json)] : []),
  ]
}

function validate(target: keyof OperationRequest, schema: z.ZodObject): MiddlewareHandler<AppEnv> {
  return zValidator(target, schema, (result) => {
    if (result.success) return
    const errors = result.error.issues.flatMap((issue) =>
      (issue.code === 'unrecognized_keys' ? issue.keys : [undefined]).map((key) => ({
        pointer: pointer(target, [...issue.path, ...(key === undefined ? [] : [key])]),
        detail: key === undefined ? issue.message : 'Unknown key',
      })),
    )
    throw new Problem('invalid-request', { members: { errors } })
  })
}

/** A JSON Pointer, RFC 6901, into that part of the request. */
function pointer(target: string, path: readonly PropertyKey[]): string {
  const parts = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'))
  return `${target}#/${parts.join('/')}`
}

function named(id: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set('route', id)
    await next()
  }
}

const jsonMediaType = /^application\/(?:[\w.-]+\+)?json$/i

// Without the header Hono hands the validator `{}`, which an all-optional schema would accept.
const requireJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  const [mediaType = ''] = (c.req.header('content-type') ?? '').split(';', 1)
  if (!jsonMediaType.test(mediaType.trim())) throw new Problem('unsupported-media-type')
  await next()
}

const limitBody = bodyLimit({
  maxSize: maxJsonBytes,
  onError: () => {
    throw new Problem('payload-too-large')
  },
})
