import type { Shelf } from '../plex/scanning.ts'

/** One kind of thing in an object's storage. */
export function createShelf<T>(storage: SyncKvStorage, prefix: string): Shelf<T> {
  return {
    get: (name) => storage.get<T>(prefix + name),
    put: (name, thing) => {
      storage.put(prefix + name, thing)
    },
    delete: (name) => {
      storage.delete(prefix + name)
    },
    all: () => [...storage.list<T>({ prefix })].map(([key, thing]) => [key.slice(prefix.length), thing]),
  }
}
