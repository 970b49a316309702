import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { castOf, leave } from './demo/cast.ts'
import { story } from './demo/story.ts'
import { startSystem } from './local/system.ts'

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`.padStart(7)

const startedAt = performance.now()
const stateFolder = await mkdtemp(join(tmpdir(), 'medianest-demo-'))
let failed = false
const system = await startSystem({ stateFolder, quiet: true })
try {
  const { demo, world } = system
  if (!demo || !world) throw new Error('the demo plays in the demo world alone')
  console.log(
    `${seconds(performance.now() - startedAt)}  a fresh system is up: Worker, downloader, Plex, plex.tv and a video site`,
  )
  const cast = castOf({ demo, world, libraryFolder: join(stateFolder, 'library', 'YouTube') })
  for (const { title, play } of story) {
    const begun = performance.now()
    try {
      const remark = await play(cast)
      console.log(`${seconds(performance.now() - begun)}  ${title}${remark ? `: ${remark}` : ''}`)
    } catch (error) {
      console.error(
        `${seconds(performance.now() - begun)}  ${title}: FAILED\n${error instanceof Error ? error.message : String(error)}`,
      )
      failed = true
      break
    }
  }
  leave(cast)
} finally {
  await system.stop()
  if (!failed) await rm(stateFolder, { recursive: true, force: true })
}
console.log(
  failed
    ? `The story broke off. Its logs: ${join(stateFolder, 'logs')}`
    : `The whole story took ${seconds(performance.now() - startedAt).trim()}.`,
)
process.exit(failed ? 1 : 0)
