import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { speeches, type Speech } from './speech.ts'

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

export type ExecutableOptions = {
  readonly folder: string
  /** The real yt-dlp. */
  readonly real: string
  /** Where the info of the videos lies: `<id>.<extent>.json`. */
  readonly videos: string
  /** Asked instead of SponsorBlock itself. */
  readonly sponsorBlock?: string
}

/** A field ends so in the record of a run. */
export const fieldEnd = '\u001f'

/**
 * A yt-dlp that takes what it would ask YouTube from files, and is the real one in everything else. It works in an
 * environment of its own, so all it must know is written into it. What is to be said next lies in files, each taken
 * by one run alone: removing a file succeeds for one of those who try.
 */
const script = ({ folder, real, videos, sponsorBlock }: ExecutableOptions): string => `#!/bin/sh
here=${quote(folder)}
real=${quote(real)}
videos=${quote(videos)}
for url; do :; done
case $url in
  https://www.youtube.com/watch\\?v=*) extractor=youtube id=\${url#*v=} ;;
  https://www.youtube.com/playlist\\?list=*) extractor=youtube:tab id=\${url#*list=} ;;
  *) exec "$real" "$@" ;;
esac
id=\${id%%[!A-Za-z0-9_-]*}
mode=download tolerant= talkative=
for option; do
  case $option in
    --simulate) mode=probe ;;
    --ignore-no-formats-error) tolerant=1 ;;
    --no-quiet) talkative=1 ;;
  esac
done

said=
for token in "$here"/once/*.any.any "$here"/once/*.any."$id" "$here"/once/*."$mode".any "$here"/once/*."$mode"."$id"; do
  if [ -f "$token" ] && read -r name 2>/dev/null < "$token" && rm "$token" 2>/dev/null; then
    said=$name
    break
  fi
done
for token in "$mode.$id" "any.$id" "$mode.any" any.any; do
  if [ -z "$said" ] && [ -f "$here/always/$token" ]; then read -r said 2>/dev/null < "$here/always/$token"; fi
done
[ -n "$said" ] || [ -f "$videos/$id.whole.json" ] || said=unavailable
{
  printf '%s\\037' "$id" "$mode" "\${said:--}" "$@"
  echo
} >> "$here/runs"

if [ -n "$talkative" ]; then
  echo "[$extractor] Extracting URL: $url"
  echo "[$extractor] $id: Downloading webpage"
fi
speech=$here/speeches/$said
if [ -z "$said" ]; then
  extent=whole
elif [ -f "$speech.error" ] && { [ -z "$tolerant" ] || [ ! -f "$speech.warning" ]; }; then
  sed "s/@ID@/$id/g" "$speech.error" >&2
  exit 1
else
  [ ! -f "$speech.warning" ] || sed "s/@ID@/$id/g" "$speech.warning" >&2
  read -r extent < "$speech.extent"
fi
info=$videos/$id.$extent.json
if [ "$extent" = hidden ]; then
  info=$here/hidden/$id.json
  sed "s/@ID@/$id/" "$here/hidden.json" > "$info"
fi

count=$(($# - 2)) index=0
while [ "$index" -lt "$count" ]; do
  set -- "$@" "$1"
  shift
  index=$((index + 1))
done
shift 2
exec "$real" "$@"${sponsorBlock === undefined ? '' : ` --sponsorblock-api ${quote(sponsorBlock)}`} --no-clean-info-json --load-info-json "$info"
`

/** What is known of a video that is not shown to anybody: yt-dlp makes up a title. */
const hidden = { id: '@ID@', extractor: 'youtube', extractor_key: 'Youtube', formats: [] }

/** Writes the program into its folder; answers its path, which is for `YT_DLP_PATH`. */
export async function writeExecutable(options: ExecutableOptions): Promise<string> {
  const { folder } = options
  for (const name of ['once', 'always', 'speeches', 'hidden'])
    await mkdir(join(folder, name), { recursive: true })
  for (const [name, { error, warning, extent }] of Object.entries<Speech>(speeches)) {
    const file = join(folder, 'speeches', name)
    await writeFile(`${file}.extent`, `${extent}\n`)
    if (error !== undefined) await writeFile(`${file}.error`, `${error}\n`)
    if (warning !== undefined) await writeFile(`${file}.warning`, `${warning}\n`)
  }
  await writeFile(join(folder, 'hidden.json'), JSON.stringify(hidden))
  await writeFile(join(folder, 'runs'), '')
  const program = join(folder, 'yt-dlp')
  await writeFile(program, script(options))
  await chmod(program, 0o755)
  return program
}
