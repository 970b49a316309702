import type { Behaviour } from './behaviour.ts'

/** The kinds up to `flaky` end in a good file; the others fail, each in its own way, some only at first. */
export type VideoKind =
  | 'direct'
  | 'heights'
  | 'hls'
  | 'dash'
  | 'audio'
  | 'drill'
  | 'strange'
  | 'subtitled'
  | 'subtitled-tracks'
  | 'subtitled-hls'
  | 'subtitled-dash'
  | 'slow'
  | 'flaky'
  | 'stalling'
  | 'truncated'
  | 'forbidden'
  | 'missing'
  | 'rate-limited'
  | 'broken-server'
  | 'too-large'
  | 'endless'
  | 'corrupt'
  | 'html'
  | 'live'
  | 'holed'
  | 'limited-at-first'
  | 'forbidden-at-first'

/** A file of the site and what ffmpeg makes it from. */
export type Clip = {
  readonly file: string
  readonly seconds: number
  readonly height: number
  readonly hue: number
}

export type Entry = {
  readonly id: string
  readonly title: string
  readonly channel: string
  readonly kind: VideoKind
  readonly seconds: number
  /** Several files are several heights of one film. */
  readonly files: readonly string[]
  readonly thumbnail: string
  readonly behaviour: Behaviour
}

export const framesPerSecond = 12
export const ladderSeconds = 12
export const ladderHeights = [360, 720, 1080] as const
export const ladderFile = (height: number): string => `ladder/${height}.mp4`
/** Picture alone; AV1 in the greatest height only. */
export const ladderStream = (height: (typeof ladderHeights)[number], codec: 'h264' | 'vp9' | 'av1'): string =>
  `ladder/silent-${height}${codec === 'h264' ? '.mp4' : codec === 'vp9' ? '-vp9.webm' : '-av1.mp4'}`
/** Picture alone, of 1920x804. */
export const ladderWide = 'ladder/silent-1080-wide.mp4'
export const ladderAudio = 'ladder/audio.m4a'
export const ladderOpus = 'ladder/audio.webm'
export const hlsManifest = 'ladder/hls/master.m3u8'
export const subtitledHlsManifest = 'ladder/hls/subtitled.m3u8'
export const hlsSubtitles = (language: string): string => `ladder/hls/subtitles-${language}.m3u8`
export const dashManifest = 'ladder/dash/manifest.mpd'
export const subtitledDashManifest = 'ladder/dash/subtitled.mpd'
/** Made while it is asked for. */
export const livePlaylist = 'live/index.m3u8'
export const liveSegments = Array.from({ length: 3 }, (_, index) => `ladder/hls/0-00${index}.ts`)
export const subtitleLanguages = [
  { code: 'en', name: 'English', greeting: 'Good evening' },
  { code: 'de', name: 'Deutsch', greeting: 'Grüß Gott' },
  { code: 'ar', name: 'العربية', greeting: 'مساء الخير' },
] as const
export const subtitleFile = (language: string): string => `subtitles/${language}.vtt`
export const ladderThumbnail = 'thumbnails/ladder.jpg'

const clip = (name: string, seconds: number, height: number, hue: number): Clip => ({
  file: `clips/${name}.mp4`,
  seconds,
  height,
  hue,
})

const longClip = clip('long', 30, 360, 200)
const faultClip = clip('fault', 6, 360, 300)

const named: readonly (readonly [title: string, clip: Clip])[] = [
  ['A lighthouse at dusk', clip('lighthouse', 8, 720, 0)],
  [`She said "Play it again, Sam" – it's 100% 'fine'`, clip('quotes', 5, 360, 40)],
  ['Café ☕ in 東京 🎬🍿 – naïve & <b>bold</b>', clip('emoji', 5, 360, 80)],
  ['AC/DC: back\\slash ../../etc/passwd? | * "NUL"', clip('slashes', 5, 360, 120)],
  [`A very long title ${'that goes on and on '.repeat(14)}🏁`, clip('long-title', 4, 360, 160)],
]

const drillClips = [10, 70, 130, 190, 250].map((hue, index) => clip(`drill-${index + 1}`, 4, 360, hue))

export const clips: readonly Clip[] = [...named.map(([, made]) => made), longClip, faultClip, ...drillClips]
export const thumbnailOf = ({ file }: Clip): string =>
  file.replace('clips/', 'thumbnails/').replace('.mp4', '.jpg')

const nameOf = ({ file }: Clip): string => file.replace('clips/', '').replace('.mp4', '')

const good: readonly Entry[] = named.map(([title, made]) => ({
  ...ofClip(nameOf(made), title, made),
  kind: 'direct',
}))

const ladder = { channel: 'The Tall & Small Channel', seconds: ladderSeconds, thumbnail: ladderThumbnail }

const ladders: readonly Entry[] = [
  {
    ...ladder,
    id: 'heights',
    title: 'One film in three heights',
    kind: 'heights',
    files: ladderHeights.map(ladderFile),
    behaviour: {},
  },
  { ...ladder, id: 'hls', title: 'An HLS film', kind: 'hls', files: [hlsManifest], behaviour: {} },
  { ...ladder, id: 'dash', title: 'A DASH film', kind: 'dash', files: [dashManifest], behaviour: {} },
  ...(
    [
      ['subtitled', 'A film with subtitles beside its player', ladderHeights.map(ladderFile)],
      ['subtitled-tracks', 'A film with tracks', [ladderFile(720)]],
      ['subtitled-hls', 'An HLS film with subtitles', [subtitledHlsManifest]],
      ['subtitled-dash', 'A DASH film with subtitles', [subtitledDashManifest]],
      ['live', 'A broadcast that is under way', [livePlaylist]],
    ] as const
  ).map(([kind, title, files]) => ({ ...ladder, id: kind, title, kind, files, behaviour: {} })),
  {
    ...ladder,
    id: 'holed',
    title: 'An HLS film with a piece missing',
    kind: 'holed',
    files: [hlsManifest],
    behaviour: { lose: 1 },
  },
  { ...ladder, id: 'audio', title: 'Only to be heard', kind: 'audio', files: [ladderAudio], behaviour: {} },
]

const odd = (kind: VideoKind, title: string, behaviour: Behaviour, from = faultClip): Entry => ({
  ...ofClip(kind, title, from),
  kind,
  behaviour,
})

const odds: readonly Entry[] = [
  odd('slow', 'A film over a slow line', { rate: 40_000 }, longClip),
  odd('flaky', 'A film over a line that keeps dropping', { drop: 100_000 }),
  odd('stalling', 'A film that goes silent half-way', { stall: 50_000 }),
  odd('truncated', 'A film whose end never comes', { cut: 50_000 }),
  odd('forbidden', 'A film that is forbidden', { status: 403 }),
  odd('missing', 'A film that is gone', { status: 404 }),
  odd('rate-limited', 'A film asked for too often', { status: 429 }),
  odd('broken-server', 'A film on a broken server', { status: 500 }),
  odd('too-large', 'A film that claims to be enormous', { claim: 50_000_000_000, rate: 1_000_000 }),
  odd('endless', 'A film without an end', { instead: 'endless', rate: 4_000_000 }),
  odd('corrupt', 'A film of nothing but noise', { instead: 'garbage' }),
  odd('html', 'A film that is really a web page', { instead: 'html' }),
  odd('limited-at-first', 'A film asked for too often at first', { status: 429, fails: 2, after: 3 }),
  odd('forbidden-at-first', 'A film that is forbidden at first', { status: 403, fails: 2 }),
]

const drills: readonly Entry[] = drillClips.map((made, index) => ({
  ...ofClip(nameOf(made), `Drill film ${index + 1}`, made),
  kind: 'drill',
}))

/** What a title and a channel may be like, to those who make file names of them. */
const strangeNames: readonly (readonly [id: string, title: string, channel: string])[] = [
  ['long', 'Long '.repeat(60), 'Channel '.repeat(40)],
  ['wide', '東京🏯'.repeat(60), '👩‍👩‍👧‍👦'.repeat(20)],
  ['rtl', 'שלום \u202egpj.exe\u202c مرحبا', '\u2067قناة\u2069'],
  ['lines', 'One line\nand another\r\n\tand a tab', 'A channel\nof two lines'],
  ['template', '%(title)s %(uploader|x)j {0} ${HOME} $(touch x) `id` --exec=id', '--exec %(id)s'],
  ['dots', '..', '../../..'],
  ['device', 'CON', 'aux.'],
  ['spaces', ' \u00a0\u200b ', '.hidden '],
]

const strangers: readonly Entry[] = strangeNames.map(([id, title, channel]) => ({
  ...ofClip(`strange-${id}`, title, faultClip),
  channel,
  kind: 'strange',
}))

function ofClip(id: string, title: string, made: Clip): Omit<Entry, 'kind'> {
  return {
    id,
    title,
    channel: 'Test Pictures / Ltd.',
    seconds: made.seconds,
    files: [made.file],
    thumbnail: thumbnailOf(made),
    behaviour: {},
  }
}

export const catalogue: readonly Entry[] = [...good, ...ladders, ...drills, ...strangers, ...odds]
