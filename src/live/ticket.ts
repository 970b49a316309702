import type { Claims } from '../http/env.ts'

export const ticketSeconds = 30

/** A ticket as its room keeps it: whom it lets in, and never the ticket itself. */
export type StoredTicket = { readonly hash: string; readonly claims: Claims; readonly expiresAt: number }

const form = /^([\w-]{1,64})\.[\w-]{43}$/

/** `secret` is 256 random bits. The user's id in front names the room that knows the ticket. */
export function formatTicket(userId: string, secret: Uint8Array): string {
  return `${userId}.${base64url(secret)}`
}

export function holderOf(ticket: string): string | undefined {
  return form.exec(ticket)?.[1]
}

export async function hashTicket(ticket: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ticket))
  return base64url(new Uint8Array(digest))
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
