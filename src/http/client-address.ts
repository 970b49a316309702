import type { Context } from 'hono'

import type { AppEnv } from './env.ts'

/** The caller's address as Cloudflare's edge states it, which a client cannot forge there. */
export function clientAddress(c: Context<AppEnv>): string {
  return subscriberOf(c.req.header('cf-connecting-ip') ?? 'local')
}

/** Who an address counts as: an IPv6 address stands for its /64, which is what one subscriber commonly holds. */
export function subscriberOf(address: string): string {
  const [, ipv4] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? []
  if (ipv4 !== undefined || !address.includes(':')) return ipv4 ?? address
  return `${network64(address)}::/64`
}

function network64(address: string): string {
  const [left = [], right = []] = address
    .toLowerCase()
    .split('::', 2)
    .map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
