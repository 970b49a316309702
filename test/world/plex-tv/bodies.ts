import type { Account, Pin } from './state.ts'

export type PlexServer = { readonly machineIdentifier: string; readonly url: string; readonly name: string }

/** plex.tv has been seen to say "owned" in all of these ways. */
export type OwnedAs = 1 | '1' | true

const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export function pinBody(pin: Pin, now: number, base: string): Record<string, unknown> {
  return {
    id: pin.id,
    code: pin.code,
    product: pin.product,
    trusted: false,
    qr: `${base}/api/v2/pins/qr/${pin.code}`,
    clientIdentifier: pin.clientIdentifier,
    location: {
      code: 'NL',
      european_union_member: true,
      continent_code: 'EU',
      country: 'Netherlands',
      city: 'Utrecht',
      time_zone: 'Europe/Amsterdam',
      postal_code: '3511',
      in_privacy_restricted_country: true,
      in_privacy_restricted_region: true,
      subdivisions: 'Utrecht',
      coordinates: '52.0907, 5.1214',
    },
    expiresIn: Math.max(0, Math.round((pin.expiresAt - now) / 1000)),
    createdAt: instant(pin.createdAt),
    expiresAt: instant(pin.expiresAt),
    authToken: pin.authToken ?? null,
    newRegistration: pin.authToken ? false : null,
  }
}

/** As large and as talkative as the real one: it repeats the token and holds the secrets of linked services. */
export function userBody(account: Account, token: string, base: string): Record<string, unknown> {
  const owner = account.share?.owner === true
  return {
    id: account.id,
    uuid: account.uuid,
    username: account.username,
    title: account.title,
    email: account.email,
    friendlyName: account.title,
    locale: null,
    confirmed: true,
    joinedAt: 1_388_534_400,
    emailOnlyAuth: false,
    hasPassword: true,
    protected: false,
    thumb: avatarUrl(account, base),
    authToken: token,
    mailingListStatus: 'unsubscribed',
    mailingListActive: false,
    scrobbleTypes: '',
    country: 'NL',
    subscription: subscription(owner),
    subscriptionDescription: owner ? 'Lifetime Plex Pass' : null,
    restricted: false,
    anonymous: null,
    home: false,
    guest: false,
    homeSize: 1,
    homeAdmin: false,
    maxHomeSize: 15,
    rememberExpiresAt: null,
    profile: { autoSelectAudio: true, defaultAudioLanguage: null, autoSelectSubtitle: 0 },
    entitlements: owner ? ['ios', 'android', 'camera_upload'] : [],
    roles: owner ? ['plexpass'] : [],
    services: [
      {
        identifier: 'metadata-dev',
        endpoint: 'https://example.invalid',
        token: null,
        secret: null,
        status: 'online',
      },
      {
        identifier: 'data-dev',
        endpoint: 'https://example.invalid',
        token: `service-token-${account.uuid}`,
        secret: `service-secret-${account.uuid}`,
        status: 'online',
      },
    ],
    adsConsent: null,
    experimentalFeatures: false,
    twoFactorEnabled: false,
    backupCodesCreated: false,
  }
}

function subscription(active: boolean): Record<string, unknown> {
  return {
    active,
    subscribedAt: active ? '2014-01-01T00:00:00Z' : null,
    status: active ? 'Active' : 'Inactive',
    paymentService: null,
    plan: active ? 'lifetime' : null,
    features: active ? ['webhooks', 'pass', 'hardware_transcoding'] : [],
  }
}

export function avatarUrl({ uuid }: Account, base: string): string {
  return `${base}/users/${uuid}/avatar?c=1764000000`
}

/** The devices of an account: the server if it is shared, among the odd rows that real accounts have. */
export function resourceRows(account: Account, server: PlexServer | undefined, ownedAs: OwnedAs): unknown[] {
  const blank = Object.fromEntries(Object.keys(device('', '', '')).map((key) => [key, null]))
  const player = {
    ...device('Living room', 'Plex for Apple TV', 'client,player,pubsub-player'),
    clientIdentifier: `player-${account.uuid}`,
    owned: '1',
    connections: null,
  }
  const gone = {
    ...device('Attic (switched off)', 'Plex Media Server', 'server'),
    clientIdentifier: `attic-${account.uuid}`,
    owned: account.share?.owner ? true : null,
    presence: false,
    accessToken: `attic-token-${account.uuid}`,
    connections: null,
  }
  return [player, blank, ...(server && account.share ? [serverRow(account, server, ownedAs)] : []), gone]
}

function serverRow({ share }: Account, server: PlexServer, ownedAs: OwnedAs): Record<string, unknown> {
  const owner = share?.owner === true
  return {
    ...device(server.name, 'Plex Media Server', 'server'),
    clientIdentifier: server.machineIdentifier,
    ownerId: owner ? null : 10_000_001,
    sourceTitle: owner ? null : 'olivia',
    accessToken: share?.token,
    owned: owner ? ownedAs : false,
    connections: [
      connection('https://192-168-1-20.0123456789abcdef0123456789abcdef.plex.direct:32400', {
        address: '192.168.1.20',
        local: true,
      }),
      connection(server.url, {}),
      connection('https://203-0-113-9.0123456789abcdef0123456789abcdef.plex.direct:8443', {
        address: '203.0.113.9',
        relay: true,
      }),
    ],
  }
}

function connection(
  uri: string,
  facts: { address?: string; local?: boolean; relay?: boolean },
): Record<string, unknown> {
  const { protocol, hostname, port } = new URL(uri)
  return {
    protocol: protocol.replace(':', ''),
    address: facts.address ?? hostname,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    uri,
    local: facts.local ?? false,
    relay: facts.relay ?? false,
    IPv6: false,
  }
}

function device(name: string, product: string, provides: string): Record<string, unknown> {
  return {
    name,
    product,
    productVersion: product === 'Plex Media Server' ? '1.43.3.10000-0123456ab' : '9.1',
    platform: 'Linux',
    platformVersion: '12',
    device: 'PC',
    clientIdentifier: '',
    createdAt: '2024-01-01T00:00:00Z',
    lastSeenAt: '2026-11-01T00:00:00Z',
    provides,
    ownerId: null,
    sourceTitle: null,
    publicAddress: '203.0.113.9',
    accessToken: null,
    owned: false,
    home: false,
    synced: false,
    relay: true,
    presence: true,
    httpsRequired: 0,
    publicAddressMatches: '1',
    dnsRebindingProtection: false,
    natLoopbackSupported: null,
    connections: [],
  }
}
