/**
 * Asks once for all who ask at the same time, and not again for a while when there was an answer. For an object only:
 * elsewhere a promise belongs to the request that made it.
 */
export function remembered<T>(
  forMs: number,
  ask: () => Promise<T | undefined>,
): () => Promise<T | undefined> {
  let known: { readonly at: number; readonly value: T } | undefined
  let asking: Promise<T | undefined> | undefined

  const askNow = async () => {
    try {
      const value = await ask()
      if (value !== undefined) known = { at: Date.now(), value }
      return value
    } finally {
      asking = undefined
    }
  }

  return async () => {
    if (known && Date.now() - known.at < forMs) return known.value
    return (asking ??= askNow())
  }
}
