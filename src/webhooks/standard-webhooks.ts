import { base64, fromBase64, hmacSha256, sameText, utf8 } from './proof.ts'

const prefix = 'whsec_'
const toleranceSeconds = 300
const maxSignatures = 16

type Header = (name: string) => string | undefined

export const isStandardSecret = (secret: string) => secret.startsWith(prefix)

/** The key bytes of a `whsec_` secret: what follows is base64, not text. */
export const standardKey = (secret: string) => fromBase64(secret.slice(prefix.length))

/** The id the sender signed, once a signature over id, time and bytes is good and the time is near; else nothing. */
export async function verifyStandardWebhook(
  { header, bytes, now }: { readonly header: Header; readonly bytes: Uint8Array; readonly now: number },
  secrets: readonly string[],
): Promise<string | undefined> {
  const signed = signedHeaders(header)
  if (!signed || Math.abs(now / 1_000 - Number(signed.timestamp)) > toleranceSeconds) return undefined
  const given = signed.signatures.split(' ').filter((signature) => signature.startsWith('v1,'))
  if (given.length > maxSignatures) return undefined
  for (const key of secrets.map(standardKey)) {
    if (!key) continue
    const mac = await hmacSha256(key, utf8(`${signed.id}.${signed.timestamp}.`), bytes)
    for (const signature of given) if (await sameText(signature, `v1,${base64(mac)}`)) return signed.id
  }
  return undefined
}

/** The three headers of one family, never mixed. An id with a dot could be read as another id and time. */
function signedHeaders(header: Header) {
  const family = header('webhook-id') === undefined ? 'svix' : 'webhook'
  const id = header(`${family}-id`) ?? ''
  const timestamp = header(`${family}-timestamp`) ?? ''
  const signatures = header(`${family}-signature`)
  if (!/^[!-\-/-~]{1,256}$/.test(id) || !/^[1-9]\d{0,11}$/.test(timestamp) || !signatures) return undefined
  return { id, timestamp, signatures }
}
