import * as z from 'zod'
import type { Variables } from './settings.ts'

const Identity = z.object({ MediaContainer: z.object({ machineIdentifier: z.string() }) })

/** The settings of a configured Plex server; what it says of itself need not be set. */
export async function realPlexVars(vars: Variables): Promise<Variables> {
  const { PLEX_URL: url, PLEX_MACHINE_IDENTIFIER: known } = vars
  if (url === undefined || known !== undefined) return vars
  try {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/identity`, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(5_000),
    })
    const { MediaContainer } = Identity.parse(await answer.json())
    return { ...vars, PLEX_MACHINE_IDENTIFIER: MediaContainer.machineIdentifier }
  } catch (error) {
    throw new Error(
      'The Plex server at PLEX_URL does not say who it is: check the address, or set PLEX_MACHINE_IDENTIFIER.',
      { cause: error },
    )
  }
}
