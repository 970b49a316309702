import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostileToTools } from '../../support/hostile-text.ts'
import { subtitleFile } from '../../world/video-site/catalogue.ts'
import type { VideoSite } from '../../world/video-site/video-site.ts'
import { youTubeFormats } from '../../world/youtube/formats.ts'
import type { YouTubeVideo } from '../../world/youtube/video.ts'

/** Whatever makes or finds a file does so under this name. */
export const mark = `pwned${randomUUID().slice(0, 8)}`
export const canary = join(tmpdir(), mark)

/** What whoever sends us something, or a site that shows us something, may have written into any of its fields. */
export const payloads = hostileToTools(mark, tmpdir())

const outside = `../../../../${mark}`
const order = `a\n--exec\ntouch ${canary}`
const template = `%(exec:touch ${canary})s`

/** A film that is hostile beside its names, and what comes of it: the program itself refuses some of them. */
type HostileFilm = {
  readonly film: YouTubeVideo
  readonly delivery: 'embed' | 'sidecar'
  readonly ends: object
}

export function hostileFilms(site: Pick<VideoSite, 'media'>): HostileFilm[] {
  const { url } = site.media(subtitleFile('en'))
  const track = (name: string) => [
    { ext: `${outside}.srt`, data: 'Good evening', name },
    { ext: 'vtt', url, name },
  ]
  // Those that begin as a language does are nearly what is asked for.
  const languages = [
    'en',
    'en-GB',
    ...payloads.flatMap((payload) => [payload, `en-${payload}`, `en${payload}`]),
  ]
  const subtitles = {
    ...Object.fromEntries(languages.map((language, n) => [language, track(payloads.at(-1 - n) ?? language)])),
    de: track(`${mark}\u0000`),
    'en\n': track('English'),
    [`en/${outside}`]: track('English'),
  }
  const offered = youTubeFormats(site)
  const formats = (ids: readonly string[], change: (id: string) => object) =>
    offered
      .filter(({ format_id }) => ids.includes(format_id))
      .map((format) => ({ ...format, ...change(format.format_id) }))
  const apart = ['134', '140']
  const together = ['18']
  const there = { kind: 'completed', file: { subtitles: ['de', 'en-GB', 'en'] } }
  const refused = { kind: 'failed', failure: { code: 'extractor-broken' } }
  return [
    {
      film: {
        id: 'apart------',
        formats: formats(apart, (id) => ({ format_id: outside + id, format_note: order })),
        info: { id: order, channel: null, uploader: null, uploader_id: outside, subtitles },
      },
      delivery: 'embed',
      ends: there,
    },
    {
      film: {
        id: 'together---',
        formats: formats(together, () => ({ format_id: template })),
        info: { id: outside, subtitles },
      },
      delivery: 'sidecar',
      ends: there,
    },
    {
      film: { id: 'converted--', formats: formats(together, () => ({ ext: outside })) },
      delivery: 'embed',
      ends: { kind: 'completed' },
    },
    {
      film: { id: 'extension--', formats: formats(apart, () => ({ ext: `${outside}.mp4` })) },
      delivery: 'embed',
      ends: refused,
    },
    {
      film: { id: 'format-----', formats: formats(apart, (id) => ({ format_id: `${mark}\u0000${id}` })) },
      delivery: 'embed',
      ends: refused,
    },
    {
      film: { id: 'language---', info: { subtitles: { en: track('English').slice(0, 1) } } },
      delivery: 'sidecar',
      ends: refused,
    },
    { film: { id: 'day--------', uploadDate: outside }, delivery: 'embed', ends: refused },
  ]
}
