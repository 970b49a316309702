export type CollectionStep =
  | { readonly kind: 'create' | 'add'; readonly keys: readonly string[] }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'delete' }

export type CollectionPlan = {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** One command each, in this order. */
  readonly steps: readonly CollectionStep[]
}

/** So many keys fit into an address that every server on the way takes. */
export const keysPerCall = 100
/** A slow server takes a quarter of a minute to let go of one item. */
const rebuildAbove = 20

/**
 * The fewest commands that bring a collection from what it holds, or from nothing, to what is wanted. Items come in
 * before others leave, since Plex drops a collection that holds nothing. Where many have to leave, and only there, it
 * is made anew: that is faster, but what else an admin has set on it is lost.
 */
export function planCollection(
  current: readonly string[] | undefined,
  wanted: readonly string[],
  mode: 'exact' | 'add',
): CollectionPlan {
  const keys = [...new Set(wanted)]
  if (!current) return { added: keys, removed: [], steps: creating(keys) }

  const [held, asked] = [new Set(current), new Set(keys)]
  const added = keys.filter((key) => !held.has(key))
  const removed = mode === 'exact' ? [...held].filter((key) => !asked.has(key)) : []
  const steps: readonly CollectionStep[] = [
    ...batches(added).map((batch) => ({ kind: 'add' as const, keys: batch })),
    ...removed.map((key) => ({ kind: 'remove' as const, key })),
  ]
  const rebuilding: readonly CollectionStep[] = [{ kind: 'delete' }, ...creating(keys)]
  const isRebuilt = removed.length > rebuildAbove && rebuilding.length < steps.length
  return { added, removed, steps: isRebuilt ? rebuilding : steps }
}

function creating(keys: readonly string[]): CollectionStep[] {
  return batches(keys).map((batch, index) => ({ kind: index === 0 ? 'create' : 'add', keys: batch }))
}

export function batches(keys: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(keys.length / keysPerCall) }, (_, index) =>
    keys.slice(index * keysPerCall, (index + 1) * keysPerCall),
  )
}
