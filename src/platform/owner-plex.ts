import { Problem } from '#contract/problem.ts'

import type { PlexContainer, PlexQuestion } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'

/**
 * PMS as its owner, for what only the owner may ask: with the token of the first administrator whose token PMS takes.
 * Throws problems only.
 */
export function createOwnerPlex(client: Pick<PlexClient, 'read'>, tokens: () => Promise<readonly string[]>) {
  const ask = async <T>(question: (token: string) => Promise<T | 'token-refused'>): Promise<T> => {
    let misfit: Problem | undefined
    for (const token of await tokens()) {
      try {
        const answer = await question(token)
        if (answer !== 'token-refused') return answer
      } catch (error) {
        // An administrator by configuration need not own the server, and PMS forbids with a page.
        if (!(error instanceof Problem) || error.code !== 'upstream-invalid') throw error
        misfit = error
      }
    }
    throw misfit ?? new Problem('plex-owner-required')
  }
  return {
    ask,
    read: (question: PlexQuestion): Promise<PlexContainer> => ask((token) => client.read(token, question)),
  }
}
