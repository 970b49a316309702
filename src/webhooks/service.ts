import { Problem } from '#contract/problem.ts'

import { parseDeliveryId, showDeliveryId } from './delivery-id.ts'
import type { Delivery } from './delivery.ts'
import { createIntake } from './intake.ts'
import { createOverview } from './overview.ts'
import type { DeliveryFilter, WebhooksDependencies } from './ports.ts'
import { createProcessing } from './processing.ts'
import { createSenders } from './senders.ts'

export type Webhooks = ReturnType<typeof createWebhooks>

export type DeliveryQuery = DeliveryFilter & { readonly page: number; readonly limit: number }

export function createWebhooks(deps: WebhooksDependencies) {
  const senders = createSenders(deps.secrets, deps.machineIdentifier)
  for (const { source, configured } of senders.configured) {
    if (source.startsWith('generic:') && !configured) deps.log('warn', 'webhook-source-unusable', { source })
  }

  return {
    receive: createIntake(deps, senders),
    ...createProcessing(deps),
    ...createOverview(deps, senders),

    async list({ page, limit, ...filter }: DeliveryQuery) {
      const { deliveries, total } = await deps.store.list(filter, { offset: (page - 1) * limit, limit })
      return { deliveries, meta: { page, limit, total, totalPages: Math.ceil(total / limit) } }
    },

    async read(shownId: string): Promise<Delivery> {
      return found(await deps.store.find(idOf(shownId)))
    },

    /** Has a delivery done again from what was kept of it, whatever became of it before. */
    async replay(shownId: string, actor: string): Promise<Delivery> {
      const delivery = found(await deps.store.reopen(idOf(shownId)))
      await deps.audit({ actor, action: 'webhook.replay', target: showDeliveryId(delivery.id) })
      await deps.enqueue([delivery.id])
      return delivery
    },
  }
}

function idOf(shownId: string): number {
  const id = parseDeliveryId(shownId)
  if (id === undefined) throw new Problem('not-found')
  return id
}

function found(delivery: Delivery | undefined): Delivery {
  if (!delivery) throw new Problem('not-found')
  return delivery
}
