import { hex, hmacSha256, sameText, utf8 } from './proof.ts'

/** Whether the header is the HMAC-SHA256 of these very bytes under one of the secrets, in lower-case hex. */
export async function hexSignatureMatches(
  header: string | undefined,
  bytes: Uint8Array,
  secrets: readonly string[],
  form: 'prefixed' | 'prefix-optional',
): Promise<boolean> {
  const pattern = form === 'prefixed' ? /^sha256=([0-9a-f]{64})$/ : /^(?:sha256=)?([0-9a-f]{64})$/
  const given = pattern.exec(header ?? '')?.[1]
  if (given === undefined) return false
  for (const secret of secrets) {
    if (await sameText(given, hex(await hmacSha256(utf8(secret), bytes)))) return true
  }
  return false
}

export async function oneOf(given: string, secrets: readonly string[]): Promise<boolean> {
  for (const secret of secrets) if (await sameText(given, secret)) return true
  return false
}
