import {
  framesPerSecond,
  hlsManifest,
  hlsSubtitles,
  ladderHeights,
  ladderSeconds,
  subtitledHlsManifest,
  subtitleFile,
  subtitleLanguages,
} from './catalogue.ts'

const levels: Readonly<Record<(typeof ladderHeights)[number], string>> = { 360: '16', 720: '1f', 1080: '28' }

// ffmpeg leaves the codecs out of a playlist it only copies into, and without them nobody sees that the sound is apart.
const hlsMaster = (subtitled: boolean): string =>
  [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",DEFAULT=YES,LANGUAGE="en",URI="3.m3u8"',
    ...(subtitled
      ? subtitleLanguages.map(
          ({ code, name }) =>
            `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="${name}",LANGUAGE="${code}",URI="subtitles-${code}.m3u8"`,
        )
      : []),
    ...ladderHeights.flatMap((height, index) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${height * 3600},RESOLUTION=${(height * 16) / 9}x${height},FRAME-RATE=${framesPerSecond}.000,CODECS="avc1.42c0${levels[height]},mp4a.40.2",AUDIO="sound"${subtitled ? ',SUBTITLES="subs"' : ''}`,
      `${index}.m3u8`,
    ]),
    '',
  ].join('\n')

const hlsSubtitlePlaylist = (code: string): string =>
  [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${ladderSeconds}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXTINF:${ladderSeconds}.000,`,
    `../../${subtitleFile(code)}`,
    '#EXT-X-ENDLIST',
    '',
  ].join('\n')

const clock = (second: number): string => `00:00:${String(second).padStart(2, '0')}.000`

/** A line every three seconds. */
const subtitles = (greeting: string): string => {
  const cues = Array.from({ length: ladderSeconds / 3 }, (_, index) =>
    [`${clock(index * 3)} --> ${clock(index * 3 + 2)}`, `${greeting} ${index + 1}`, ''].join('\n'),
  )
  return ['WEBVTT', '', ...cues].join('\n')
}

/** What is written and not made by ffmpeg, by its name in the media folder. */
export const writtenFiles: ReadonlyMap<string, string> = new Map([
  [hlsManifest, hlsMaster(false)],
  [subtitledHlsManifest, hlsMaster(true)],
  ...subtitleLanguages.flatMap(({ code, greeting }): [string, string][] => [
    [subtitleFile(code), subtitles(greeting)],
    [hlsSubtitles(code), hlsSubtitlePlaylist(code)],
  ]),
])

/** What a DASH manifest says of subtitles, each a file of its own. */
export const subtitleAdaptations = subtitleLanguages
  .map(
    ({ code }) =>
      `<AdaptationSet contentType="text" mimeType="text/vtt" lang="${code}"><Representation id="subtitles-${code}" bandwidth="256"><BaseURL>../../${subtitleFile(code)}</BaseURL></Representation></AdaptationSet>\n`,
  )
  .join('')
