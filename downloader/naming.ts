import { createHash } from 'node:crypto'
import { posix, win32 } from 'node:path'

/** What a name is made of, before anything of it is safe. */
export type Episode = {
  readonly channel: string
  readonly title: string
  readonly videoId: string
  /** `YYYY-MM-DD`. */
  readonly date: string
}

const longestName = 200
const longestChannel = 60
const longestSuffix = ' - v0123ab - 2160p.zh-Hant-HK.srt'.length
/** Plex on Windows passes over longer paths without a word. */
const longestWindowsPath = 259
/** To which a channel and then a title are cut, at the most, where the path leaves no more room. */
const shortest = 20

const lookAlikes: Readonly<Record<string, string>> = {
  '/': '⧸',
  '\\': '⧹',
  ':': '：',
  '*': '＊',
  '?': '？',
  '"': '＂',
  '<': '＜',
  '>': '＞',
  '|': '｜',
}

// Control characters, halves of pairs, and what reorders or hides text; joiners stay, scripts and emoji need them.
const unwanted = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const reservedOnWindows = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))/i
const episodeLike = /(s\d+[\s._-]*)(e)(?=\d)/gi

/**
 * A name that any file system takes and that cannot lead elsewhere; the fallback when nothing is left of it. Most file
 * systems count bytes, Windows counts units of UTF-16.
 */
export function safeName(text: string, longestBytes: number, fallback: string, longest = Infinity): string {
  const fit = (name: string): string => truncate(name, longestBytes, longest).replace(/[\s.]+$/, '')
  // What was cut may be a reserved name by now.
  const name = fit(fit(clean(text)).replace(reservedOnWindows, '$&_'))
  return name === '' ? fit(fallback) : name
}

function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\t\n\r\p{Zs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(unwanted, '')
    .normalize('NFC')
    .replace(/[/\\:*?"<>|]/g, (character) => lookAlikes[character] ?? '_')
    .replace(/^[\s.]+/, '')
}

/** Cuts between characters as people see them. */
function truncate(text: string, longestBytes: number, longest: number): string {
  const fits = (name: string): boolean => name.length <= longest && Buffer.byteLength(name) <= longestBytes
  if (fits(text)) return text
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (!fits(kept + segment)) break
    kept += segment
  }
  return kept
}

/** Ids that are not plain stand in names as a digest: they must stay distinct, whatever is in them. */
export function safeId(videoId: string): string {
  return /^[\w-]{1,64}$/.test(videoId)
    ? videoId
    : createHash('sha256').update(videoId).digest('hex').slice(0, 16)
}

export const channelFolder = ({ channel }: Episode): string => channelName(channel)

function channelName(channel: string, longest?: number): string {
  // Plex and we would read such a number as the episode's own.
  const harmless = clean(channel).replace(episodeLike, (_, season: string, e: string) =>
    season.concat(e === 'e' ? 'ｅ' : 'Ｅ'),
  )
  return safeName(harmless, longestChannel, 'Unknown channel', longest)
}

export function seasonFolder(date: string): string {
  return `Season ${date.slice(0, 4)}`
}

/** The episode number: month, day, and which one of that day. */
export function episodeNumber(date: string, index: number): string {
  return `${date.slice(5, 7)}${date.slice(8, 10)}${String(index).padStart(2, '0')}`
}

/** The name that media, `.nfo` and thumbnail share, short enough for where the Plex server sees it. */
export function stemOf(episode: Episode, index: number, plexLibraryPath: string): string {
  const number = ` - s${episode.date.slice(0, 4)}e${episodeNumber(episode.date, index)} - `
  const id = safeId(episode.videoId)
  const end = ` [${id}]`
  const longest = longestStem(episode, plexLibraryPath) - number.length - end.length
  const channel = channelName(episode.channel, Math.max(shortest, longest - shortest))
  const bytes = longestName - longestSuffix - Buffer.byteLength(channel + number + end)
  const title = safeName(episode.title, bytes, id, Math.max(shortest, longest - channel.length))
  return channel + number + title + end
}

function longestStem(episode: Episode, plexLibraryPath: string): number {
  if (!isWindowsPath(plexLibraryPath)) return Infinity
  const folder = pathForPlex(plexLibraryPath, [channelFolder(episode), seasonFolder(episode.date)])
  return longestWindowsPath - folder.length - '\\'.length - longestSuffix
}

/** What follows the id where a film was cut, or something was added: two editions of a video are two files. */
export const editionMark = (edition: string | undefined): string =>
  edition === undefined ? '' : ` - v${createHash('sha256').update(edition).digest('hex').slice(0, 6)}`

/** What stands in a name behind the id: edition, size of a version, and what makes it a companion of the media. */
const ending = /(?: - v[0-9a-f]{6})?(?: - \d+p)?(?:-thumb|\.[A-Za-z0-9-]+)?\.\w+$/
const placedName = new RegExp(`s(\\d{4})e(\\d{2})(\\d{2})(\\d{2,}) - .*\\[([\\w-]+)\\]${ending.source}`)

export type PlacedName = { readonly date: string; readonly index: number; readonly id: string }

export function parsePlacedName(name: string): PlacedName | undefined {
  const [, year, month, day, index, id] = placedName.exec(name) ?? []
  return id === undefined ? undefined : { date: `${year}-${month}-${day}`, index: Number(index), id }
}

/** The index this video has on its day, else the next free one. */
export function chooseIndex(names: readonly string[], episode: Episode): number {
  const sameDay = names
    .flatMap((name) => parsePlacedName(name) ?? [])
    .filter(({ date }) => date === episode.date)
  const own = sameDay.find(({ id }) => id === safeId(episode.videoId))
  return own?.index ?? Math.max(0, ...sameDay.map(({ index }) => index)) + 1
}

/** A name without edition, size of a version and what makes it a companion of the media. */
export const withoutEnding = (name: string): string => name.replace(ending, '')

/** Languages come from the site, and stand in a name as letters, digits and dashes. */
export const sidecarName = (stem: string, language: string, extension: string): string =>
  `${stem}.${safeId(language).slice(0, 20)}.${extension}`

/** Whether this is the name of subtitles that belong to the media of that stem. */
export function isSidecarOf(stem: string, name: string): boolean {
  return name.startsWith(`${stem}.`) && /^\.[\w-]+\.(?:srt|vtt|ass)$/.test(name.slice(stem.length))
}

/** A path as the Plex server writes it, which may be a Windows machine. */
export function pathForPlex(plexLibraryPath: string, parts: readonly string[]): string {
  return (isWindowsPath(plexLibraryPath) ? win32 : posix).join(plexLibraryPath, ...parts)
}

const isWindowsPath = (path: string): boolean => /^(?:[a-z]:[\\/]|\\\\)/i.test(path)
