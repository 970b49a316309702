import { eq } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { UserStore } from '../auth/ports.ts'
import { users } from './tables.ts'
import type { Vault } from './vault.ts'

/** Users in D1. Plex tokens are sealed for their user before they get there. */
export function createUserStore(db: DrizzleD1Database, vault: Vault): UserStore & OwnerTokens {
  const open = async (userId: string, accountToken: string, serverToken: string) => {
    const [account, server] = await Promise.all([
      vault.open(accountToken, `account-token:${userId}`),
      vault.open(serverToken, `server-token:${userId}`),
    ])
    return account !== undefined && server !== undefined
      ? { accountToken: account, serverToken: server }
      : undefined
  }

  return {
    async upsert({ id, username, email, thumb, role }, tokens, at) {
      const row = {
        username,
        email: email ?? null,
        thumb: thumb ?? null,
        role,
        sealedAccountToken: await vault.seal(tokens.accountToken, `account-token:${id}`),
        sealedServerToken: await vault.seal(tokens.serverToken, `server-token:${id}`),
        signedInAt: at.toISOString(),
      }
      await db
        .insert(users)
        .values({ id, createdAt: row.signedInAt, ...row })
        .onConflictDoUpdate({ target: users.id, set: row })
    },

    async find(userId) {
      const [row] = await db.select().from(users).where(eq(users.id, userId)).limit(1)
      if (!row) return undefined
      const { id, username, email, thumb, role } = row
      return { id, username, role, ...(email !== null && { email }), ...(thumb !== null && { thumb }) }
    },

    async tokens(userId) {
      const [row] = await db.select().from(users).where(eq(users.id, userId)).limit(1)
      return row && open(userId, row.sealedAccountToken, row.sealedServerToken)
    },

    async replaceServerToken(userId, serverToken) {
      const sealedServerToken = await vault.seal(serverToken, `server-token:${userId}`)
      await db.update(users).set({ sealedServerToken }).where(eq(users.id, userId))
    },

    async ownerServerTokens() {
      const rows = await db.select().from(users).where(eq(users.role, 'admin')).limit(5)
      const opened = await Promise.all(
        rows.map((row) => open(row.id, row.sealedAccountToken, row.sealedServerToken)),
      )
      return opened.flatMap((tokens) => (tokens ? [tokens.serverToken] : []))
    },
  }
}

export type OwnerTokens = {
  /** Server tokens of signed-in owners: what scans and probes run with, when nobody asks for them in person. */
  ownerServerTokens(): Promise<readonly string[]>
}
