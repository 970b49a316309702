import type { WindowPolicy } from '#resilience/sliding-window.ts'

import type { SignInBudget } from '../auth/ports.ts'
import type { RateLimiter } from '../durable/rate-limiter.ts'
import type { Budgets } from '../webhooks/ports.ts'
import { allowanceOf } from './user-gates.ts'

type Limits = Readonly<Record<'sign-in' | 'webhooks-unverified' | 'webhooks-verified', WindowPolicy>>

/** Polling for a PIN is cheap and frequent: this many for each sign-in that is allowed. */
const pollsPerSignIn = 100

/** Allowances of addresses and webhook sources, each in an object of its own. */
export function createBudgets(
  namespace: DurableObjectNamespace<RateLimiter>,
  limits: Limits,
  now: () => number,
): { readonly signIn: SignInBudget; readonly webhooks: Budgets } {
  const limiter = (name: string) => namespace.getByName(name)
  const signInPolicies = {
    'sign-in': { name: 'sign-in', ...limits['sign-in'] },
    'sign-in-poll': {
      ...limits['sign-in'],
      name: 'sign-in-poll',
      limit: pollsPerSignIn * limits['sign-in'].limit,
    },
  }
  const unverified = { name: 'webhooks-unverified', ...limits['webhooks-unverified'] }
  const verified = { name: 'webhooks-verified', ...limits['webhooks-verified'] }

  return {
    signIn: {
      async take(kind, address) {
        const policy = signInPolicies[kind]
        const decision = await limiter(`address:${address}`).take(policy, now())
        return {
          allowance: allowanceOf(policy, decision),
          ...(!decision.allowed && { retryAfter: Math.ceil(decision.retryAfterMs / 1000) }),
        }
      },
    },
    webhooks: {
      addressLeft: async (address) => limiter(`address:${address}`).peek(unverified, now()),
      chargeAddress: async (address) => {
        await limiter(`address:${address}`).take(unverified, now())
      },
      takeSource: async (source) => limiter(`source:${source}`).take(verified, now()),
    },
  }
}
