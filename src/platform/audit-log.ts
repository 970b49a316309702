import type { DrizzleD1Database } from 'drizzle-orm/d1'

import { auditLog } from './tables.ts'

/** Who did what as an administrator, for good. */
export function createAudit(db: DrizzleD1Database, now: () => number) {
  return async (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
  }): Promise<void> => {
    await db.insert(auditLog).values({ at: new Date(now()).toISOString(), ...entry })
  }
}
