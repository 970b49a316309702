import type { Exchange } from '../stand-in.ts'

export type Page<T> = {
  readonly items: readonly T[]
  /** Present on paged answers only. */
  readonly paged?: { readonly totalSize: number; readonly offset: number }
}

/** The part of a list that was asked for. A size without a start in the query is ignored: all is answered. */
export function pageOf<T>(exchange: Exchange, all: readonly T[], cap = Number.POSITIVE_INFINITY): Page<T> {
  const limit = whole(exchange.query.get('limit'))
  const list = limit ? all.slice(0, limit) : all
  const header = (name: string) => whole(String(exchange.request.headers[name.toLowerCase()] ?? ''))
  const queried = {
    start: whole(exchange.query.get('X-Plex-Container-Start')),
    size: whole(exchange.query.get('X-Plex-Container-Size')),
  }
  const bySize = header('X-Plex-Container-Size')
  const size = bySize ?? (queried.start === undefined ? undefined : queried.size)
  const start = header('X-Plex-Container-Start') ?? queried.start
  if (size === undefined && start === undefined) return { items: list }
  const offset = start ?? 0
  const items = list.slice(offset, offset + Math.min(size ?? list.length, cap))
  return { items, paged: { totalSize: list.length, offset } }
}

export function pageHeaders({ paged }: Page<unknown>): Record<string, string> {
  if (!paged) return {}
  return {
    'x-plex-container-start': String(paged.offset),
    'x-plex-container-total-size': String(paged.totalSize),
  }
}

function whole(text: string | null): number | undefined {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
