import type { KeyRing } from '../config.ts'

export type Vault = {
  /** AES-256-GCM under the ring's first key, bound to `subject`: it opens for that subject only. */
  seal(plaintext: string, subject: string): Promise<string>
  /** `undefined` when it was not sealed by us for that subject. */
  open(sealed: string, subject: string): Promise<string | undefined>
}

export function createVault(ring: KeyRing): Vault {
  const keys = new Map<string, Promise<CryptoKey>>()
  const keyOf = (id: string): Promise<CryptoKey> | undefined => {
    const entry = ring.find((key) => key.id === id)
    if (!entry) return undefined
    // Key import needs no I/O of a request, so sharing its promise between requests is safe.
    const known =
      keys.get(id) ??
      crypto.subtle.importKey('raw', decode(entry.secret), 'AES-GCM', false, ['encrypt', 'decrypt'])
    keys.set(id, known)
    return known
  }
  const aad = (subject: string, keyId: string) => new TextEncoder().encode(`medianest:${keyId}:${subject}`)

  return {
    async seal(plaintext, subject) {
      const id = ring[0]?.id ?? ''
      const key = await keyOf(id)
      if (!key) throw new Error('the vault has no key')
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const algorithm = { name: 'AES-GCM', iv, additionalData: aad(subject, id) }
      const sealed = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(plaintext))
      return [id, encode(iv), encode(new Uint8Array(sealed))].join('.')
    },

    async open(sealed, subject) {
      const [id = '', iv = '', body = ''] = sealed.split('.')
      const key = await keyOf(id)
      if (!key) return undefined
      try {
        const algorithm = { name: 'AES-GCM', iv: decode(iv), additionalData: aad(subject, id) }
        return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, decode(body)))
      } catch {
        return undefined
      }
    },
  }
}

const encode = (bytes: Uint8Array) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
const decode = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' })
