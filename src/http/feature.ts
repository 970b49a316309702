import { zValidator } from '@hono/zod-validator'
import { Hono, type Context, type MiddlewareHandler, type ValidationTargets } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import type { AppEnv } from './env.ts'
import { admit, identify } from './middleware/guard.ts'
import type { Handled, Handler, Operation } from './operation.ts'

export type Feature = {
  /** Below `/api`. */
  readonly base: string
  readonly operations: readonly Operation[]
  readonly routes: Hono<AppEnv>
}

type Register = <const O extends Operation>(operation: O, handler: Handler<O>) => void

const maxJsonBytes = 64 * 1024

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
      // Safe: the middleware before it has put exactly what `Handled` of this operation promises on the context.
      async (c) => (await handler(handled(c, operation) as Handled<typeof operation>)) as Response,
    )
  })
  return { base, operations, routes }
}

function handled(c: Context<AppEnv>, { request = {} }: Operation): Handled<Operation> {
  const valid = c.req.valid as (target: keyof ValidationTargets) => unknown
  return {
    c,
    background: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
    ...(request.param && { param: valid.call(c.req, 'param') }),
    ...(request.query && { query: valid.call(c.req, 'query') }),
    ...(request.json && { json: valid.call(c.req, 'json') }),
    ...(c.var.caller && { caller: c.var.caller }),
  }
}

function validators({ request = {} }: Operation): MiddlewareHandler<AppEnv>[] {
  return [
    ...(request.param ? [validate('param', request.param)] : []),
    validate('query', request.query),
    ...(request.json ? [requireJson, limitBody, validate('json', request.json)] : []),
  ].filter((middleware) => middleware !== undefined)
}

function validate(
  target: 'param' | 'query' | 'json',
  schema: z.ZodObject | undefined,
): MiddlewareHandler<AppEnv> | undefined {
  if (!schema) return undefined
  return zValidator(target, schema, (result) => {
    if (result.success) return
    const errors = result.error.issues.flatMap((issue) =>
      (issue.code === 'unrecognized_keys' ? issue.keys : [undefined]).map((key) => ({
        pointer: `${target}#/${[...issue.path.map(String), ...(key === undefined ? [] : [key])].join('/')}`,
        detail: key === undefined ? issue.message : 'Unknown key',
      })),
    )
    throw new Problem('invalid-request', { members: { errors } })
  })
}

function named(id: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set('route', id)
    await next()
  }
}

const jsonMediaType = /^application\/(?:[\w.-]+\+)?json(?:;|$)/i

// Without the header Hono hands the validator `{}`, which an all-optional schema would accept.
const requireJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!jsonMediaType.test(c.req.header('content-type') ?? '')) throw new Problem('unsupported-media-type')
  await next()
}

const limitBody = bodyLimit({
  maxSize: maxJsonBytes,
  onError: () => {
    throw new Problem('payload-too-large')
  },
})
