export const newSecret = (): string =>
  crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true })

export async function sha256Hex(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toHex()
}

/** Compares hashes, all of them, in constant time: neither length nor position of a difference shows. */
export async function isOneOf(presented: string, secrets: readonly string[]): Promise<boolean> {
  const hash = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const given = await hash(presented)
  const matches = await Promise.all(
    secrets.map(async (secret) => crypto.subtle.timingSafeEqual(given, await hash(secret))),
  )
  return matches.includes(true)
}
