import { drizzle } from 'drizzle-orm/d1'

import { createBulkhead } from '#resilience/bulkhead.ts'

import { createAuth } from './auth/service.ts'
import { configOf } from './config.ts'
import { createHealth } from './health/service.ts'
import { etagOf } from './http/cached-response.ts'
import type { HttpDependencies } from './http/env.ts'
import { createLive } from './live/service.ts'
import { createAccessTokens } from './platform/access-tokens.ts'
import { createAudit } from './platform/audit-log.ts'
import { createBreaker } from './platform/breaker.ts'
import { createBudgets } from './platform/budgets.ts'
import { createDeliveryStore } from './platform/delivery-store.ts'
import { createHealthStore } from './platform/health-store.ts'
import { createImageReader } from './platform/image-reader.ts'
import { createImageShelf } from './platform/image-shelf.ts'
import { createImageSignatures } from './platform/image-signatures.ts'
import { createLiveRooms } from './platform/live-rooms.ts'
import { log } from './platform/logger.ts'
import { createOwnerPlex } from './platform/owner-plex.ts'
import { createPlexAnswers } from './platform/plex-answers.ts'
import { createPlexClient } from './platform/plex-client.ts'
import { createPlexLocks } from './platform/plex-locks.ts'
import { createPlexProbe } from './platform/plex-probe.ts'
import { createPlexReader } from './platform/plex-reader.ts'
import { createPlexWriter } from './platform/plex-writer.ts'
import { createPlexTvClient } from './platform/plex-tv-client.ts'
import { createPlexUpstream, plexBreakerName } from './platform/plex-upstream.ts'
import { createPlexTvUpstream } from './platform/plex-tv-upstream.ts'
import { createProbes } from './platform/probes.ts'
import { createShares } from './platform/shares.ts'
import { newSecret, sha256Hex } from './platform/secrets.ts'
import { createAccessControl, createGates } from './platform/user-gates.ts'
import { createUserStore } from './platform/user-store.ts'
import { createVault } from './platform/vault.ts'
import { createCollections } from './plex/collections.ts'
import { createImages } from './plex/images.ts'
import { createReads } from './plex/reads.ts'
import { createScans } from './plex/scans.ts'
import { createPlex } from './plex/service.ts'
import { createSessions } from './plex/sessions.ts'
import { createShelf } from './plex/shelf.ts'
import { createWebhooks } from './webhooks/service.ts'
import { buildYoutubeServices } from './youtube-services.ts'

export type Services = ReturnType<typeof buildServices>

/** The composition root: which adapter stands behind which port. Built once per isolate. */
export function buildServices(env: Env) {
  const config = configOf(env)
  const now = Date.now
  const newId = () => crypto.randomUUID()
  const db = drizzle(env.DB)
  const vault = createVault(config.vaultKeys)
  const users = createUserStore(db, vault)
  const audit = createAudit(db, now)
  const accessTokens = createAccessTokens(config.accessTokenKeys, now)
  const budgets = createBudgets(env.RATE_LIMITER, config.limits, now)
  const rooms = createLiveRooms(env.LIVE_ROOM, config.liveShards, log)
  const plexServer = () => env.PLEX_SERVER.getByName(config.plex.machineIdentifier)
  const gates = createGates(env.USER_GATE, now)
  const answers = createPlexAnswers(env.CACHE, plexServer, config, now)
  const { cache } = answers

  const auth = createAuth({
    plexTv: createPlexTvClient({
      ...config.plexTv,
      machineIdentifier: config.plex.machineIdentifier,
      upstream: createPlexTvUpstream(env),
    }),
    users,
    gates,
    accessTokens,
    budget: budgets.signIn,
    sealer: vault,
    endLiveSessions: (userId, sessionId) => rooms.disconnect(userId, sessionId),
    confirmShare: (userId) => shares.confirm(userId),
    adminUserId: config.plexTv.adminUserId,
    log,
    now,
    newId,
    newSecret,
    hash: sha256Hex,
  })

  const breaker = createBreaker(
    env.CIRCUIT_BREAKER,
    plexBreakerName(config.plex.machineIdentifier),
    config.breaker,
    now,
  )
  const bulkhead = createBulkhead(config.bulkhead, { holdMs: config.plex.deadlineMs, now })
  const shares = createShares({
    reader: { read: (userId, question) => reader.read(userId, question) },
    gates,
    rooms,
    wait: (ms) => scheduler.wait(ms),
    log,
  })
  const asUser = {
    client: createPlexClient({
      url: config.plex.url,
      clientIdentifier: config.plexTv.clientIdentifier,
      upstream: createPlexUpstream(env, bulkhead, breaker),
    }),
    serverToken: async (userId: string) => (await users.tokens(userId))?.serverToken,
    confirmMembership: auth.confirmMembership,
  }
  const reader = createPlexReader({
    noteShare: (userId, share) => shares.note(userId, share),
    ...asUser,
  })
  const images = createImages({
    signatures: createImageSignatures(config.accessTokenKeys),
    holdsScope: (userId, version) => gates.holdsScope(userId, version),
    shelf: createImageShelf(config.plex.machineIdentifier, now, log),
    read: createImageReader(asUser),
  })
  const scans = createScans({ server: plexServer, audit, pathRules: config.plex.pathRules })
  const plexDependencies = {
    images,
    reader,
    cache,
    probe: createPlexProbe({
      ...config.plex,
      breaker,
      ownerTokens: () => users.ownerServerTokens(),
      now,
    }),
    hitRatio: answers.hitRatio,
    machineIdentifier: config.plex.machineIdentifier,
    ttl: config.ttl,
    now,
  }
  const plex = createPlex(plexDependencies)
  const sessions = createSessions({
    owner: createOwnerPlex(asUser.client, () => users.ownerServerTokens()),
    libraryKeys: (asked) => plex.libraryKeys(asked),
    images,
    machineIdentifier: config.plex.machineIdentifier,
    etagOf,
    now,
  })
  const collections = createCollections({
    ...plexDependencies,
    reads: createReads(plexDependencies),
    writer: createPlexWriter(asUser),
    locks: createPlexLocks({
      server: plexServer,
      // Half of it outlasts any one call to Plex.
      leaseMs: 2 * config.plex.deadlineMs,
      waitMs: 25_000,
      now,
      random: Math.random,
      sleep: (ms) => scheduler.wait(ms),
      newId,
    }),
    changed: async (userId, libraryKey) => gates.noteChange(userId, await answers.changed(libraryKey)),
    audit,
    ttlMs: config.ttl.items,
  })

  const downloads = buildYoutubeServices(env, {
    config,
    db,
    cache,
    plex: createShelf({ reader, collections }),
    audit,
    tell: (userId, event) => rooms.publish({ kind: 'user', userId }, event),
    now,
    newId,
  })

  const webhooks = createWebhooks({
    store: createDeliveryStore(db),
    secrets: config.webhooks,
    machineIdentifier: config.plex.machineIdentifier,
    libraries: { movies: config.plex.moviesLibraryKey, tv: config.plex.tvLibraryKey },
    budgets: budgets.webhooks,
    enqueue: async (ids) => {
      await env.WEBHOOK_QUEUE.sendBatch(ids.map((id) => ({ body: id })))
    },
    effects: {
      scan: async (libraryKey, deliveryId) => {
        await plexServer().requestScan({ libraryKey, requester: { kind: 'delivery', deliveryId } })
      },
      invalidate: async (libraryKey) => {
        await answers.changed(libraryKey)
      },
      publish: rooms.publish,
    },
    audit,
    log,
    now,
    random: Math.random,
  })

  return {
    auth,
    images,
    plex,
    collections,
    scans,
    sessions,
    ...downloads,
    webhooks,
    live: createLive({
      rooms,
      libraryKeys: (caller) => plex.libraryKeys({ caller, background: () => undefined }),
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      now,
      wait: (ms) => scheduler.wait(ms),
    }),
    health: createHealth({
      probes: createProbes({
        kv: env.CACHE,
        db,
        plex: plex.health,
        youtube: () => downloads.queue.health(),
        webhooks: () => webhooks.health(),
        plexTvUrl: config.plexTv.url,
      }),
      store: createHealthStore(db),
      publish: rooms.publish,
      log,
      now,
      wait: (ms) => scheduler.wait(ms),
    }),
    http: {
      access: createAccessControl(env.USER_GATE, accessTokens, config.limits, now),
      log,
      newId,
      now,
      allowedOrigins: [...config.allowedOrigins, ...(config.publicUrl ? [config.publicUrl] : [])],
    } satisfies HttpDependencies,
  }
}
