import { stat } from 'node:fs/promises'
import { leaseMs } from '#contract/downloader-link.ts'
import { parseConfig } from './config.ts'
import { join } from 'node:path'

// Exit code 0 says that the Worker was heard of recently.
const parsed = parseConfig(process.env)
const found = parsed.ok
  ? await stat(join(parsed.config.stateDirectory, 'alive')).catch(() => undefined)
  : undefined
process.exit(found && Date.now() - found.mtimeMs < leaseMs ? 0 : 1)
