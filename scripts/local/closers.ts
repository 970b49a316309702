export type Closers = {
  /** Remembers how to end something in order, and how at once; when all is ended already, ends it right away. */
  readonly add: (close: () => Promise<void> | void, force?: () => void) => void
  /** Ends everything, the last first; one that fails does not keep the others. Twice is once. */
  readonly close: () => Promise<void>
  /** For when the orderly way takes too long. */
  readonly force: () => void
}

export function createClosers(): Closers {
  const closers: (() => Promise<void> | void)[] = []
  const forces: (() => void)[] = []
  let closing: Promise<void> | undefined
  const endAll = async (): Promise<void> => {
    for (let close = closers.pop(); close; close = closers.pop()) {
      try {
        await close()
      } catch {
        // The rest has to be ended all the same.
      }
    }
  }
  return {
    add: (close, force) => {
      closers.push(close)
      if (force) forces.push(force)
      if (closing) closing = closing.then(endAll)
    },
    close: () => (closing ??= endAll()),
    force: () => {
      for (const force of forces) force()
    },
  }
}
