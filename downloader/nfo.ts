import type { VideoMetadata } from '#contract/downloads.ts'

type Element = readonly [name: string, value: string | number | undefined]

export type EpisodeNfo = {
  readonly metadata: VideoMetadata
  readonly channel: string
  readonly videoId: string
  readonly site: string
  readonly date: string
  readonly episodeNumber: string
}

/** What Plex and others read beside the media file. */
export function episodeNfo({ metadata, channel, videoId, site, date, episodeNumber }: EpisodeNfo): string {
  const minutes =
    metadata.durationSeconds === undefined
      ? undefined
      : Math.max(1, Math.round(metadata.durationSeconds / 60))
  return document(
    'episodedetails',
    [
      ['title', metadata.title],
      ['showtitle', channel],
      ['season', date.slice(0, 4)],
      ['episode', Number(episodeNumber)],
      ['plot', metadata.description],
      ['aired', date],
      ['premiered', date],
      ['studio', channel],
      ['runtime', minutes],
    ],
    `  <uniqueid type="${escapeXml(site)}" default="true">${escapeXml(videoId)}</uniqueid>\n`,
  )
}

export function showNfo(channel: string): string {
  return document('tvshow', [
    ['title', channel],
    ['studio', channel],
  ])
}

function document(root: string, elements: readonly Element[], more = ''): string {
  const lines = elements.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`  <${name}>${escapeXml(String(value))}</${name}>\n`],
  )
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<${root}>\n${lines.join('')}${more}</${root}>\n`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Also leaves out what XML 1.0 cannot hold in any form. */
function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- these are the very characters to remove
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"']/g, (character) => entities[character] ?? '')
  )
}
