import type { Links } from './schema.ts'

/** Where an item is to be seen in Plex: its web app, and an app that is installed. */
export function linksTo(machineIdentifier: string, ratingKey: string, type?: string): Links {
  const kind = type === 'collection' ? 'collections' : 'metadata'
  const key = encodeURIComponent(`/library/${kind}/${ratingKey.toWellFormed()}`)
  return {
    web: `https://app.plex.tv/desktop/#!/server/${machineIdentifier}/details?key=${key}`,
    app: `plex://preplay/?metadataKey=${key}&server=${machineIdentifier}`,
  }
}
