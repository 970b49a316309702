/** `mnr_<user>_<session>_<secret>`: names its session, so that no index over secrets is needed. */
export type RefreshToken = { readonly userId: string; readonly sessionId: string; readonly secret: string }

const form = /^mnr_(\d{1,20})_([0-9a-f-]{36})_([\w-]{43})$/

export function parseRefreshToken(text: string): RefreshToken | undefined {
  const [, userId, sessionId, secret] = form.exec(text) ?? []
  return userId && sessionId && secret ? { userId, sessionId, secret } : undefined
}

export function formatRefreshToken({ userId, sessionId, secret }: RefreshToken): string {
  return `mnr_${userId}_${sessionId}_${secret}`
}
