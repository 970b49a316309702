import { rows, text, type Row } from './container.ts'
import type { ExternalIds } from './schema.ts'

type Source = keyof ExternalIds

const shapes: Readonly<Record<Source, RegExp>> = {
  imdb: /^tt\d{1,12}$/,
  tmdb: /^\d{1,12}$/,
  tvdb: /^\d{1,12}$/,
}
/** Sources by the names of today's ids and of the agents of old. */
const sources: ReadonlyMap<string, Source> = new Map([
  ['imdb', 'imdb'],
  ['tmdb', 'tmdb'],
  ['tvdb', 'tvdb'],
  ['com.plexapp.agents.imdb', 'imdb'],
  ['com.plexapp.agents.themoviedb', 'tmdb'],
  ['com.plexapp.agents.thetvdb', 'tvdb'],
])

/** What an item is called elsewhere: today's ids, and where there is none, what an older agent's guid holds. */
export function externalIdsOf(row: Row): ExternalIds | undefined {
  const guids = [...rows(row['Guid']).map(({ id }) => id), agentGuid(row)]
  const ids: ExternalIds = {}
  for (const guid of guids) {
    const [, name = '', id = ''] = /^([\w.]+):\/\/([^/?]+)/.exec(text(guid) ?? '') ?? []
    const source = sources.get(name)
    if (source && shapes[source].test(id)) ids[source] ??= id
  }
  return Object.keys(ids).length > 0 ? ids : undefined
}

/** Of a season or an episode the guid names the show, `thetvdb://<show>/<season>/<episode>`, and is none of its own. */
function agentGuid(row: Row): unknown {
  const guid = text(row['guid']) ?? ''
  return /^[\w.]+:\/\/[^/?]+(\?.*)?$/.test(guid) ? guid : undefined
}
