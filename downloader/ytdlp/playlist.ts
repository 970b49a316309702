import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Playlist } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { playlistArguments } from './arguments.ts'
import { lendCookies } from './cookies.ts'
import { classifyRun } from './failure.ts'
import type { YtDlpRecordOf } from './records.ts'
import { runYtDlp } from './run.ts'
import type { RunResult } from './run.ts'
import type { Target } from './target.ts'
import { createNonce, runOptions } from './toolbox.ts'
import type { Toolbox } from './toolbox.ts'

export type PlaylistResult =
  | { readonly kind: 'playlist'; readonly playlist: Playlist }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly run?: RunResult }

const graceMs = 1000
const longestTitle = 500
const longestUrl = 2048

/** Lists the first videos of a playlist. What it says of them is the site's word: each address is yet to be checked. */
export async function probePlaylist(
  target: Target,
  limit: number,
  toolbox: Toolbox,
  scratch: string,
  signal: AbortSignal,
): Promise<PlaylistResult> {
  await mkdir(scratch, { recursive: true })
  const directory = await mkdtemp(join(scratch, 'playlist-'))
  const cookies = await lendCookies(toolbox.cookiesFile, directory)
  const nonce = createNonce()
  let found: YtDlpRecordOf<'playlist'> | undefined
  try {
    const run = await runYtDlp({
      file: toolbox.ytDlp,
      arguments: playlistArguments({
        ...runOptions(toolbox, { nonce, url: target.url, directory, cookiesFile: cookies.file }),
        limit,
      }),
      directory,
      environment: toolbox.environment,
      nonce,
      signals: [signal],
      graceMs,
      onRecord: (record) => {
        if (record.kind === 'playlist') found ??= record
      },
    })
    await cookies.giveBack(found !== undefined)
    if (found) return { kind: 'playlist', playlist: toPlaylist(found, limit) }
    if (run.missing) return { kind: 'failed', code: 'ytdlp-missing' }
    const code = classifyRun(run)
    // It went well and there was no list: this is the address of something else.
    return { kind: 'failed', code: code === 'unknown' && run.exitCode === 0 ? 'unsupported-url' : code, run }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export function toPlaylist({ info, entries }: YtDlpRecordOf<'playlist'>, limit: number): Playlist {
  const title = info.title?.trim().slice(0, longestTitle)
  const { playlist_count: count } = info
  return Playlist.parse({
    id: info.id.slice(0, longestTitle),
    ...(title && { title }),
    ...(count !== undefined && Number.isSafeInteger(count) && { totalVideos: count }),
    videos: (entries ?? []).slice(0, limit).flatMap(({ url, title: name, duration }) =>
      url === undefined || url.length > longestUrl
        ? []
        : [
            {
              url,
              ...(name?.trim() && { title: name.trim().slice(0, longestTitle) }),
              ...(duration !== undefined && Number.isFinite(duration) && { durationSeconds: duration }),
              // A film may be called so too, and lasts.
              ...(duration === undefined && { unavailable: placeholders.get(name ?? '') }),
            },
          ],
    ),
  })
}

/** What YouTube lists in place of a video that is there for nobody else any more, in the language yt-dlp asks for. */
const placeholders = new Map<string, Playlist['videos'][number]['unavailable']>([
  ['[Private video]', 'private'],
  ['[Deleted video]', 'removed'],
])
