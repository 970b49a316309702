import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { readPrivate, writePrivate } from './private-file.ts'

const secret = (make: () => string) => z.string().default(make)
const text = (): string => randomBytes(32).toString('base64url')

/** The source that may post signed events of any kind. */
export const genericSource = 'demo'

/** By the names of the Worker's settings, each with how it is made. */
const Secrets = z.object({
  ACCESS_TOKEN_KEYS: secret(() => `k1:${text()}`),
  VAULT_KEYS: secret(() => `k1:${text()}`),
  DOWNLOADER_TOKEN: secret(text),
  METRICS_TOKEN: secret(text),
  OVERSEERR_WEBHOOK_SECRET: secret(text),
  PLEX_WEBHOOK_SECRET: secret(text),
  GITHUB_WEBHOOK_SECRET: secret(text),
  GENERIC_WEBHOOK_SECRETS: secret(() =>
    JSON.stringify({ [genericSource]: `whsec_${randomBytes(32).toString('base64')}` }),
  ),
  PLEX_CLIENT_IDENTIFIER: secret(() => `medianest-${randomBytes(12).toString('hex')}`),
})
export type Secrets = z.output<typeof Secrets>

/** The installation's secrets, made on first use and the same ever after. */
export function readSecrets(stateFolder: string): Secrets {
  const file = join(stateFolder, 'secrets.json')
  const saved = readPrivate(file, z.record(z.string(), z.string())) ?? {}
  const secrets = Secrets.parse(saved)
  if (Object.keys(secrets).some((name) => saved[name] === undefined))
    writePrivate(file, { ...saved, ...secrets })
  return secrets
}
