import type { Context, TypedResponse } from 'hono'
import type * as z from 'zod'

import type { ProblemCode } from '#contract/problems.ts'

import type { Access, AppEnv, Caller, LimitName } from './env.ts'

export type Method = 'get' | 'post' | 'put' | 'delete'

type Responses = {
  readonly [status: number]: z.ZodType | 'empty' | 'upgrade' | 'redirect' | 'text' | 'image'
}

export type OperationRequest = {
  readonly param?: z.ZodObject
  readonly query?: z.ZodObject
  /** By their names as documents write them; others that come along are nobody’s concern. */
  readonly header?: z.ZodObject
  readonly json?: z.ZodObject
}

/** One route: from it come validation, the guard, handler types and its place in the OpenAPI document. */
export type Operation = {
  readonly id: string
  readonly method: Method
  /** Hono path below the feature's base. */
  readonly path: string
  readonly summary: string
  readonly access: Access
  readonly limit?: LimitName
  readonly request?: OperationRequest
  readonly responses: Responses
  /** Problems of this operation beyond those its access, limit and request imply. */
  readonly problems?: readonly ProblemCode[]
}

export function operation<const O extends Operation>(definition: O): O {
  return definition
}

/** A response whose body is not checked against a schema here: a cached body, a socket, nothing, a redirect. */
export type OpaqueResponse = Response & { readonly opaque: true }

export function opaque(response: Response): OpaqueResponse {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the mark is there for the types alone
  return response as OpaqueResponse
}

type Valid<R, K extends keyof OperationRequest> = R extends { readonly [P in K]: infer S extends z.ZodObject }
  ? { readonly [P in K]: z.output<S> }
  : unknown

type Body<S> = S extends z.ZodType ? z.input<S> : never

type Answer<R extends Responses> = {
  [S in keyof R & number]: TypedResponse<Body<R[S]>, S extends 200 | 201 | 202 ? S : never, 'json'>
}[keyof R & number]

type SignedIn<O extends Operation> = O['access'] extends 'user' | 'admin'
  ? { readonly caller: Caller }
  : O['access'] extends 'optional'
    ? { readonly caller?: Caller }
    : unknown

export type Handled<O extends Operation> = {
  readonly c: Context<AppEnv>
  /** Runs on after the answer was sent. */
  readonly background: (work: Promise<unknown>) => void
} & Valid<O['request'], 'param'> &
  Valid<O['request'], 'query'> &
  Valid<O['request'], 'header'> &
  Valid<O['request'], 'json'> &
  SignedIn<O>

export type Handler<O extends Operation> = (
  handled: Handled<O>,
) => Promise<Answer<O['responses']> | OpaqueResponse> | Answer<O['responses']> | OpaqueResponse
