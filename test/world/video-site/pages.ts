import type { Behaviour } from './behaviour.ts'
import { mediaPath } from './behaviour.ts'
import { catalogue, subtitleFile, subtitleLanguages, type Entry, type VideoKind } from './catalogue.ts'

export type Watched = {
  readonly behaviour: Behaviour
  readonly base: string
  readonly sizes: ReadonlyMap<string, number>
}

type Source = { readonly file: string; readonly url: string }

const uploaded = '2026-03-14T15:09:26Z'

const types: Readonly<Record<string, string>> = {
  mp4: 'video/mp4',
  webm: 'video/webm',
  vtt: 'text/vtt; charset=utf-8',
  m4a: 'audio/mp4',
  m4s: 'video/iso.segment',
  ts: 'video/mp2t',
  m3u8: 'application/vnd.apple.mpegurl',
  mpd: 'application/dash+xml',
  jpg: 'image/jpeg',
}

export function typeOf(file: string): string {
  return types[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

const structuredKinds: ReadonlySet<VideoKind> = new Set([
  'direct',
  'hls',
  'dash',
  'subtitled-hls',
  'subtitled-dash',
  'holed',
  'live',
])

/**
 * Downloaders read such pages in two ways. Structured data names one file or manifest, which they look at while they probe. The setup
 * of a player lists files with their heights, which are fetched only when downloaded: so the faults meet the download.
 */
export function watchPage(entry: Entry, { behaviour, base, sizes }: Watched): string {
  const merged = { ...entry.behaviour, ...behaviour }
  const sources = entry.files.map((file) => ({ file, url: base + mediaPath(file, merged) }))
  const thumbnail = `${base}/media/${entry.thumbnail}`
  const structured = structuredKinds.has(entry.kind)
  const shown = entry.kind === 'subtitled-tracks' ? element : player
  const url = sources[0]?.url ?? ''
  return page(
    entry.title,
    `<meta property="og:title" content="${escape(entry.title)}">
<meta property="og:image" content="${escape(thumbnail)}">
<meta property="og:description" content="${escape(descriptionOf(entry))}">
${structured ? structuredData(entry, url, thumbnail) : ''}`,
    `<p><a href="/">All films</a></p>
<h1>${escape(entry.title)}</h1>
${structured ? `<p><a href="${escape(url)}"><img src="${escape(thumbnail)}" alt="Play"></a></p>` : shown({ entry, sources, thumbnail, base, sizes })}
<p>${escape(entry.channel)} · ${entry.seconds} s · ${escape(entry.kind)}</p>
<p>${escape(descriptionOf(entry))}</p>`,
  )
}

export function indexPage(): string {
  const items = catalogue.map(
    ({ id, title, kind, seconds, thumbnail }) => `<li><a href="/watch/${id}">
<img src="/media/${thumbnail}" alt="" loading="lazy" width="160" height="90"><span>${escape(title)}<small>${kind} · ${seconds} s</small></span></a></li>`,
  )
  return page('Films to download', '', `<h1>Films to download</h1>\n<ul>\n${items.join('\n')}\n</ul>`)
}

function descriptionOf({ kind, seconds }: Entry): string {
  return `A test film of ${seconds} seconds (${kind}).`
}

type Shown = Pick<Watched, 'base' | 'sizes'> & {
  readonly entry: Entry
  readonly sources: readonly Source[]
  readonly thumbnail: string
}

const subtitlesAt = (base: string): { src: string; code: string; name: string }[] =>
  subtitleLanguages.map(({ code, name }) => ({ src: `${base}/media/${subtitleFile(code)}`, code, name }))

/** A page without a player: of such a one, nobody learns how long the film is. */
function element({ sources, thumbnail, base }: Shown): string {
  const tracks = subtitlesAt(base).map(
    ({ src, code, name }) => `<track kind="subtitles" srclang="${code}" label="${name}" src="${src}">`,
  )
  return `<video controls preload="none" poster="${thumbnail}" src="${sources[0]?.url ?? ''}">
${tracks.join('\n')}
</video>`
}

function player({ entry, sources, thumbnail, base, sizes }: Shown): string {
  const setup = {
    title: entry.title,
    description: descriptionOf(entry),
    channel: entry.channel,
    image: thumbnail,
    duration: entry.seconds,
    pubdate: Date.parse(uploaded) / 1000,
    ...(entry.kind === 'subtitled'
      ? { tracks: subtitlesAt(base).map(({ src, code }) => ({ file: src, kind: 'captions', label: code })) }
      : {}),
    sources: sources.map(({ file, url }) => {
      const height = /(\d+)\.mp4$/.exec(file)?.[1]
      return {
        file: url,
        type: typeOf(file),
        ...(height ? { label: `${height}p` } : {}),
        ...(entry.files.length > 1 ? { filesize: sizes.get(file) } : {}),
      }
    }),
  }
  return `<div id="player"></div>
<script>${playerScript}
jwplayer("player").setup(${inScript(setup)});</script>`
}

const playerScript = `
function jwplayer(id) {
  return { setup({ image, sources }) {
    const element = document.createElement(sources[0].type.startsWith('audio') ? 'audio' : 'video')
    Object.assign(element, { controls: true, preload: 'none', poster: image, src: sources.at(-1).file })
    document.getElementById(id).append(element)
  } }
}`

function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function structuredData(entry: Entry, contentUrl: string, thumbnail: string): string {
  const data = {
    '@context': 'https://schema.org',
    '@type': 'VideoObject',
    name: entry.title,
    description: descriptionOf(entry),
    thumbnailUrl: [thumbnail],
    uploadDate: uploaded,
    ...(entry.kind === 'live' ? {} : { duration: `PT${entry.seconds}S` }),
    author: { '@type': 'Person', name: entry.channel },
    contentUrl,
  }
  return `<script type="application/ld+json">${inScript(data)}</script>`
}

/** Nothing of a title is lost on the way but what XML cannot hold. */
export function feed(addresses: ReadonlyMap<string, Entry | undefined>): string {
  const items = [...addresses].map(
    ([
      url,
      entry,
    ]) => `<item><title>${escape(entry?.title ?? 'A film that is gone')}</title><link>${escape(url)}</link>
<pubDate>${new Date(uploaded).toUTCString()}</pubDate></item>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>A feed of ${items.length} films</title><link>/</link><description>Films to download</description>
${items.join('\n')}
</channel></rss>
`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
${head}
<style>${style}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; display: grid; gap: .8rem; }
li a { display: flex; gap: 1rem; align-items: center; }
img, video { border-radius: .5rem; max-width: 100%; height: auto; }
li img { flex: none; width: 8rem; }
small { display: block; opacity: .7; }
`
