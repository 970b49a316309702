import { BlockList, isIP } from 'node:net'
import type { FailureCode } from '#contract/failures.ts'

export type Target = {
  /** What is handed to yt-dlp: canonical for YouTube. */
  readonly url: string
  readonly youtube: boolean
  readonly host: string
}

export type TargetCheck =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly code: Extract<FailureCode, 'unsupported-url' | 'refused-address'> }

const youtubeHosts = new Set([
  'youtube.com',
  'www.youtube.com',
  'm.youtube.com',
  'music.youtube.com',
  'youtu.be',
])
const youtubeId = /^[A-Za-z0-9_-]{11}$/
const beforeIds = new Set(['shorts', 'live', 'embed'])
/** Words that stand where an id does, and name no video. */
const noIds = new Set(['videoseries', 'live_stream'])
const youtubeList = /^[A-Za-z0-9_-]{2,64}$/

/** Checks an address on its own, whatever the Worker let through: nothing is started for one it refuses. */
export function checkTarget(text: string, allowedHosts: readonly string[]): TargetCheck {
  return check(text, allowedHosts, (url) => {
    const id = youtubeIdOf(url)
    return id && `https://www.youtube.com/watch?v=${id}`
  })
}

/** Likewise for the address of a playlist. */
export function checkPlaylistTarget(text: string, allowedHosts: readonly string[]): TargetCheck {
  return check(text, allowedHosts, ({ pathname, searchParams }) => {
    const id = searchParams.get('list') ?? ''
    return pathname === '/playlist' && youtubeList.test(id)
      ? `https://www.youtube.com/playlist?list=${id}`
      : undefined
  })
}

function check(
  text: string,
  allowedHosts: readonly string[],
  canonicalOf: (url: URL) => string | undefined,
): TargetCheck {
  const unsupported = { ok: false, code: 'unsupported-url' } as const
  // The parser drops these silently, so what was checked would not be what was written.
  if (/[\p{Cc}\s]/u.test(text) || !URL.canParse(text)) return unsupported
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return unsupported
  if (url.username !== '' || url.password !== '') return unsupported

  if (isListed(url, allowedHosts)) {
    // yt-dlp takes orders from the fragment.
    url.hash = ''
    return { ok: true, target: { url: url.href, youtube: false, host: url.host } }
  }
  if (isPrivateHost(url.hostname)) return { ok: false, code: 'refused-address' }
  if (!youtubeHosts.has(url.hostname) || url.port !== '') return unsupported
  const canonical = canonicalOf(url)
  if (canonical === undefined) return unsupported
  return { ok: true, target: { url: canonical, youtube: true, host: 'www.youtube.com' } }
}

function youtubeIdOf(url: URL): string | undefined {
  const [first, second] = url.pathname.split('/').filter((part) => part !== '')
  const id =
    url.hostname === 'youtu.be'
      ? first
      : first === 'watch'
        ? (url.searchParams.get('v') ?? undefined)
        : beforeIds.has(first ?? '') && !noIds.has(second ?? '')
          ? second
          : undefined
  return id !== undefined && youtubeId.test(id) ? id : undefined
}

/** An entry without a port stands for the scheme's own port. */
function isListed(url: URL, allowedHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return allowedHosts.some(
    (entry) => entry === `${url.hostname}:${port}` || (url.port === '' && entry === url.hostname),
  )
}

/** Entries are `host` or `host:port`, comma-separated; IPv6 in brackets. */
export function parseAllowedHosts(text: string): { hosts: string[]; wrong: string[] } {
  const hosts: string[] = []
  const wrong: string[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const match = /^(\[[0-9a-f:.]+\]|[^\s/:@?#[\]*]+)(?::(\d{1,5}))?$/i.exec(entry)
    const address = `http://${match?.[1] ?? ''}/`
    if (!match || !URL.canParse(address)) wrong.push(entry)
    else hosts.push(new URL(address).hostname + (match[2] === undefined ? '' : `:${Number(match[2])}`))
  }
  return { hosts, wrong }
}

const privateAddresses = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv6')

/** The parser has already written every spelling of an IPv4 address as four decimals. */
function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const family = isIP(bare)
  if (family === 4) return privateAddresses.check(bare, 'ipv4')
  if (family === 6) return privateAddresses.check(bare, 'ipv6') || embedsIpv4(bare)
  return (
    bare === 'localhost' ||
    !bare.includes('.') ||
    /\.(?:localhost|local|internal|lan|home|home\.arpa)$/.test(bare)
  )
}

/** IPv4 inside IPv6: mapped, compatible, NAT64, 6to4 and Teredo. No site of ours needs one. */
function embedsIpv4(address: string): boolean {
  return /^(?:::|64:ff9b:|2002:|2001:0?:|2001::)/.test(address)
}
