import { Problem } from '#contract/problem.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import { declaresMore, readBody } from './body.ts'
import { firstIdAt, newDeliveryId, showDeliveryId } from './delivery-id.ts'
import type { JoinReason, Verdict } from './delivery.ts'
import type { Insertion, WebhooksDependencies } from './ports.ts'
import { sha256Hex, utf8 } from './proof.ts'
import type { Attempt, Notice, Sender } from './sender.ts'
import type { Senders, Target } from './senders.ts'
import { workOf } from './work.ts'

export type Incoming = {
  readonly address: string
  readonly header: (name: string) => string | undefined
  readonly body: ReadableStream<Uint8Array> | null
}

export type Acknowledgement =
  | { readonly id: string; readonly status: 'stored' }
  | {
      readonly id: string
      readonly status: 'duplicate'
      readonly joined: string
      readonly because: JoinReason
    }

/** What is left of a budget, as its headers tell it. */
export type BudgetLeft = {
  readonly policy: 'webhooks-unverified' | 'webhooks-verified'
  readonly limit: number
  readonly windowSeconds: number
  readonly remaining: number
  readonly resetSeconds: number
}

export type Receipt =
  | { readonly admitted: true; readonly acknowledgement: Acknowledgement; readonly left: BudgetLeft }
  | { readonly admitted: false; readonly left: BudgetLeft; readonly retryAfter: number }

const windowSeconds = 900
const idTries = 8

/** Takes deliveries in: what is answered with an acknowledgement has been verified and is in the store. */
export function createIntake(deps: WebhooksDependencies, senders: Senders) {
  const { budgets, log } = deps

  /** Verification failed: whoever it was, and whatever was wrong, hears the same. */
  async function refuse({ source }: Sender, address: string): Promise<never> {
    await budgets.chargeAddress(address)
    log('info', 'webhook-refused', { source })
    throw new Problem('invalid-signature')
  }

  return async function receive(target: Target, incoming: Incoming): Promise<Receipt> {
    const sender = senders.at(target)
    if (!sender) throw new Problem('not-configured')
    const { address, header } = incoming
    if (declaresMore(header('content-length'), sender.maxBytes)) throw new Problem('payload-too-large')
    const strangers = await budgets.addressLeft(address)
    if (!strangers.allowed) return exhausted('webhooks-unverified', strangers)

    const bytes = await readBody(incoming.body, sender.maxBytes)
    if (bytes === 'too-large') {
      // It made us read as much as any forgery would have.
      await budgets.chargeAddress(address)
      throw new Problem('payload-too-large')
    }
    const attempt: Attempt = { header, bytes, now: deps.now() }
    const verdict = await sender.verify(attempt)
    if (!verdict) return refuse(sender, address)

    // A verified sender has its own budget, so that strangers cannot use it up.
    const left = await budgets.takeSource(sender.source)
    if (!left.allowed) return exhausted('webhooks-verified', left)
    const notice = await sender.read(attempt)
    if (notice === 'refused') return refuse(sender, address)
    const acknowledgement = await keep(deps, sender, verdict, notice)
    return { admitted: true, acknowledgement, left: budgetLeft('webhooks-verified', left) }
  }
}

async function keep(
  deps: WebhooksDependencies,
  { source }: Sender,
  verdict: Verdict,
  { event, kept, sameness }: Notice,
): Promise<Acknowledgement> {
  const hasWork = workOf({ source, event, kept }, deps.libraries) !== undefined
  const [id, insertion] = await insert(deps, sameness.withinMs, {
    source,
    event,
    verdict,
    dedupKey: await sha256Hex(utf8(JSON.stringify([source, ...sameness.content]))),
    status: hasWork ? 'stored' : 'ignored',
    kept,
  })
  if (insertion.outcome === 'joined') {
    const joined = showDeliveryId(insertion.id)
    deps.log('info', 'webhook-joined', { source, event, joined, because: sameness.because })
    return { id: joined, status: 'duplicate', joined, because: sameness.because }
  }
  const shown = showDeliveryId(id)
  deps.log('info', 'webhook-stored', { source, event, delivery: shown, verdict, hasWork })
  if (hasWork) {
    // It is stored, so it is not lost: the sweep finds what never reached the queue.
    await deps.enqueue([id]).catch((cause: unknown) => {
      deps.log('error', 'webhook-not-queued', { delivery: shown, cause: String(cause) })
    })
  }
  return { id: shown, status: 'stored' }
}

async function insert(
  { store, now, random }: WebhooksDependencies,
  withinMs: number,
  delivery: Omit<Parameters<typeof store.insertUnlessKnown>[0], 'id'>,
): Promise<[number, Exclude<Insertion, { outcome: 'id-taken' }>]> {
  for (let tries = 0; tries < idTries; tries++) {
    const id = newDeliveryId(now(), random())
    const insertion = await store.insertUnlessKnown({ id, ...delivery }, firstIdAt(now() - withinMs))
    if (insertion.outcome !== 'id-taken') return [id, insertion]
  }
  throw new Error('No free id for a delivery')
}

function exhausted(policy: BudgetLeft['policy'], decision: WindowDecision & { allowed: false }): Receipt {
  const retryAfter = Math.max(1, Math.ceil(decision.retryAfterMs / 1_000))
  return { admitted: false, left: budgetLeft(policy, decision), retryAfter }
}

function budgetLeft(policy: BudgetLeft['policy'], { limit, remaining, resetMs }: WindowDecision): BudgetLeft {
  return { policy, limit, windowSeconds, remaining, resetSeconds: Math.ceil(resetMs / 1_000) }
}
