import type { Context } from 'hono'

import type { AppEnv } from './env.ts'

/**
 * The caller's address as Cloudflare's edge states it, which a client cannot forge there. An IPv6 address stands for
 * its /64, which is what one subscriber commonly holds.
 */
export function clientAddress(c: Context<AppEnv>): string {
  const address = c.req.header('cf-connecting-ip') ?? 'local'
  return address.includes(':') ? `${network64(address)}::/64` : address
}

function network64(address: string): string {
  const [head = '', tail = ''] = address.toLowerCase().split('::', 2)
  const [left, right] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''))
  const missing = address.includes('::') ? 8 - (left?.length ?? 0) - (right?.length ?? 0) : 0
  const groups = [
    ...(left ?? []),
    ...Array.from({ length: Math.max(0, missing) }, () => '0'),
    ...(right ?? []),
  ]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
