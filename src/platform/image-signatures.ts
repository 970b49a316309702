import type { KeyRing } from '../config.ts'
import type { ImageSignatures } from '../plex/images.ts'

/** Canonical base64url of 32 bytes: the last letter has two bits to spare, which must be zero. */
const canonical = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** HMAC-SHA256 under keys of their own, derived from the ring: the first one signs, each of them verifies. */
export function createImageSignatures(ring: KeyRing): ImageSignatures {
  // Deriving a key needs no I/O of a request, so sharing its promise between requests is safe.
  let derived: Promise<readonly CryptoKey[]> | undefined
  const keys = () => (derived ??= Promise.all(ring.map(({ secret }) => deriveKey(secret))))

  return {
    async sign(message) {
      const [key] = await keys()
      if (!key) throw new Error('there is no key to sign with')
      const signature = await crypto.subtle.sign('HMAC', key, encode(message))
      return new Uint8Array(signature).toBase64({ alphabet: 'base64url', omitPadding: true })
    },

    async verify(message, signature) {
      if (!canonical.test(signature)) return false
      const [given, signed] = [decode(signature), encode(message)]
      const verdicts = await Promise.all(
        (await keys()).map((key) => crypto.subtle.verify('HMAC', key, given, signed)),
      )
      return verdicts.includes(true)
    },
  }
}

async function deriveKey(secret: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', decode(secret), 'HKDF', false, ['deriveKey'])
  const derivation = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: encode('medianest image addresses'),
  }
  const algorithm = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return crypto.subtle.deriveKey(derivation, base, algorithm, false, ['sign', 'verify'])
}

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' })
