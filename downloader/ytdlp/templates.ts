/**
 * Projections, not scalars: a scalar without a value prints `NA`, which is not JSON, and JSON written by hand
 * around a title breaks on its quotes.
 */
const info = (...fields: string[]): string => `%(.{${fields.join(',')}})j`

const described = info(
  'id',
  'title',
  'channel',
  'uploader',
  'uploader_id',
  'duration',
  'thumbnail',
  'description',
  'upload_date',
  'view_count',
  'live_status',
  'release_timestamp',
  'availability',
)
const format = 'format_id,ext,height,width,fps,vcodec,acodec,filesize,filesize_approx,tbr'
const stream = 'format_id,ext,filesize,filesize_approx,vcodec,acodec,height,tbr'
const tick =
  'status,downloaded_bytes,total_bytes,total_bytes_estimate,speed,eta,fragment_index,fragment_count'

/** Of subtitles only their table is taken: their addresses would be megabytes. */
export function metadataOption(nonce: string): string[] {
  return [
    '--print',
    `video:${nonce}{"kind":"metadata","info":${described},"formats":%(formats.:.{${format}}|null)j,` +
      '"chapters":%(chapters.:.{title,start_time,end_time}|null)j,' +
      '"written":%(subtitles_table|null)j,"automatic":%(automatic_captions_table|null)j}',
  ]
}

export function playlistOption(nonce: string): string[] {
  return [
    '--print',
    `playlist:${nonce}{"kind":"playlist","info":${info('id', 'title', 'playlist_count')},` +
      '"entries":%(entries.:.{url,title,duration}|null)j}',
  ]
}

/** What a downloading run says of itself, one JSON record a line behind the nonce. */
export function recordOptions(nonce: string): string[] {
  return [
    ...metadataOption(nonce),
    '--print',
    `before_dl:${nonce}{"kind":"start","info":${info(...stream.split(','), 'duration')},` +
      `"streams":%(requested_formats.:.{${stream}}|null)j}`,
    '--print',
    `after_move:${nonce}{"kind":"file","info":${info('filepath')},` +
      '"sponsored":%(sponsorblock_chapters.:.{category,start_time,end_time}|null)j}',
    '--progress-template',
    `download:${nonce}{"kind":"tick","info":%(info.{format_id})j,"tick":%(progress.{${tick}})j}`,
    '--progress-template',
    `postprocess:${nonce}{"kind":"step","step":%(progress.{postprocessor,status})j}`,
  ]
}
