const encoder = new TextEncoder()

export const utf8 = (text: string) => encoder.encode(text)

export async function hmacSha256(secret: Uint8Array, ...message: readonly Uint8Array[]): Promise<Uint8Array> {
  const key = await hmacKey(secret, 'sign')
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, joined(message)))
}

/**
 * Compares in constant time, whatever the lengths: what the platform compares are two MACs, and it takes the same
 * time wherever they differ.
 */
export async function sameText(given: string, expected: string): Promise<boolean> {
  const label = utf8('a webhook secret or signature')
  const mac = await crypto.subtle.sign('HMAC', await hmacKey(label, 'sign'), utf8(expected))
  return crypto.subtle.verify('HMAC', await hmacKey(label, 'verify'), mac, utf8(given))
}

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** The bytes that base64 text stands for, or `undefined` when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function hmacKey(secret: Uint8Array, usage: 'sign' | 'verify'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [usage])
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first && parts.length === 1) return first
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
