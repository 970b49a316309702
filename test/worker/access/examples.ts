import type { Example } from '../support/operations.ts'

const nobodysId = '00000000-0000-4000-8000-000000000000'
const inALibrary = { param: { key: '3' } }
const webhook = { body: '{}' }

/** One accepted input for each operation that needs any, by the operation's id. */
export const examples: Readonly<Record<string, Example>> = {
  finishPlexSignIn: { param: { id: '1' } },
  listItems: inALibrary,
  readItem: { param: { ratingKey: '1' } },
  listChildren: { param: { ratingKey: '1' } },
  listRelated: { param: { ratingKey: '1' } },
  showImage: {
    param: { scope: '1.1', signature: 'A'.repeat(43), size: 'w240', path: 'library/metadata/1/thumb/1' },
  },
  search: { query: { query: 'a' } },
  listCollections: { param: { key: '1' } },
  readCollection: { param: { ratingKey: '1' } },
  listCollectionItems: { param: { ratingKey: '1' } },
  createCollection: { json: { libraryKey: '1', title: 'An example', items: ['99999999'] } },
  putCollection: { param: { key: '1', title: 'An example' }, json: { items: ['1'], dryRun: true } },
  renameCollection: { param: { ratingKey: '99999' }, json: { title: 'Another example' } },
  deleteCollection: { param: { ratingKey: '99999' } },
  addToCollection: { param: { ratingKey: '99999' }, json: { items: ['1'] } },
  removeFromCollection: { param: { ratingKey: '99999', itemKey: '1' } },
  refreshLibrary: inALibrary,
  scanPath: { json: { path: '/media/movies' } },
  readScan: { param: { id: nobodysId } },
  readVideoMetadata: { query: { url: 'https://video.example/1' } },
  validateDownload: { json: { url: 'https://video.example/1' } },
  requestPlaylist: { json: { url: 'https://video.example/1' } },
  requestDownload: { json: { url: 'https://video.example/1' } },
  readDownload: { param: { id: nobodysId } },
  cancelDownload: { param: { id: nobodysId } },
  retryDownload: { param: { id: nobodysId } },
  deleteDownload: { param: { id: nobodysId } },
  deleteDownloadFile: { param: { id: nobodysId } },
  protectDownload: { param: { id: nobodysId }, json: { protected: true } },
  receivePlexWebhook: { param: { secret: 'a-guess' }, ...webhook },
  receiveOverseerrWebhook: webhook,
  receiveGitHubWebhook: webhook,
  receiveGenericWebhook: { param: { source: 'demo' }, ...webhook },
  readDelivery: { param: { id: nobodysId } },
  replayDelivery: { param: { id: nobodysId } },
  readServiceHealth: { param: { service: 'plex' } },
}
