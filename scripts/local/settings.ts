import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { configOf } from '../../src/config.ts'

export type Variables = Readonly<Record<string, string>>

export type OperatorSettings = {
  /** What the Worker reads. */
  readonly vars: Variables
  /** All there is, for the downloader to pick from. */
  readonly environment: Variables
}

/** What the operator has set: in the environment, and over it in `.dev.vars`. */
export async function readSettings(root: string, env: NodeJS.ProcessEnv): Promise<OperatorSettings> {
  const file = parseEnv(await readFile(join(root, '.dev.vars'), 'utf8').catch(() => ''))
  const environment = definedOf({ ...env, ...file })
  const names = new Set([...workerSettings(), ...Object.keys(file)])
  const vars = Object.entries(environment).filter(([name, value]) => names.has(name) && value !== '')
  return { vars: Object.fromEntries(vars), environment }
}

/** Every name that the Worker's configuration asks an environment for. */
function workerSettings(): ReadonlySet<string> {
  const asked = new Set<string>()
  const listener = new Proxy(
    {},
    {
      get: (_, name) => {
        if (typeof name === 'string') asked.add(name)
        return undefined
      },
    },
  )
  try {
    configOf(listener)
  } catch {
    // An empty environment is refused, after it was asked for everything.
  }
  return asked
}

function definedOf(env: NodeJS.ProcessEnv): Variables {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
