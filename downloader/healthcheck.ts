import { readFile } from 'node:fs/promises'
import { parseConfig } from './config.ts'
import type { Config } from './config.ts'
import { Health } from './health.ts'
import { workspaceOf } from './workspace.ts'

/** Whether the downloader of these settings says it is well, and not another one on this machine. */
async function isWell(config: Config): Promise<boolean> {
  const { healthPort } = config
  if (healthPort === undefined) return false
  const port = healthPort === 0 ? await readFile(workspaceOf(config).healthPort, 'utf8') : healthPort
  const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5000) })
  const { downloaderId } = Health.parse(await answer.json())
  return answer.ok && downloaderId === config.downloaderId
}

const parsed = parseConfig(process.env)
const well = parsed.ok && (await isWell(parsed.config).catch(() => false))
process.exit(well ? 0 : 1)
