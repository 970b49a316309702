import type { WorldUrls } from './world-urls.ts'

/** Settings of the Worker under test. Secrets in here are made up and guard nothing. */
export const testBindings = (world: WorldUrls) => ({
  PLEX_URL: world.plexUrl,
  PLEX_MACHINE_IDENTIFIER: world.machineIdentifier,
  PLEX_CLIENT_IDENTIFIER: 'medianest-tests',
  PLEX_TV_URL: world.plexTvUrl,
  PLEX_AUTH_URL: `${world.plexTvUrl}/auth`,
  PUBLIC_URL: '',
  ALLOWED_ORIGINS: 'https://app.example',
  DOWNLOAD_ALLOWED_HOSTS: '127.0.0.1:9',
  ACCESS_TOKEN_KEYS: `k1:${'A'.repeat(43)}`,
  VAULT_KEYS: `v1:${'B'.repeat(43)}`,
  DOWNLOADER_TOKEN: 'test-downloader-token-0123456789abcdef',
  OVERSEERR_WEBHOOK_SECRET: 'test-overseerr-secret',
  PLEX_WEBHOOK_SECRET: 'test-plex-secret-0123456789',
  GITHUB_WEBHOOK_SECRET: 'test-github-secret-0123',
  GENERIC_WEBHOOK_SECRETS: JSON.stringify({ demo: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }),
  RETRY_BASE_MS: '5',
  PLEX_TIMEOUT_MS: '500',
  PLEX_DEADLINE_MS: '2000',
  SCAN_QUIET_MS: '50',
  SCAN_MAX_WAIT_MS: '500',
  DOWNLOAD_RETRY_BASE_MS: '10',
  // Tests look into KV and change what is there.
  ANSWER_MEMORY_MS: '0',
  METADATA_TIMEOUT_MS: '500',
})
