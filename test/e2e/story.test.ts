import { afterAll, test } from 'vitest'

import { castOf, leave } from '../../scripts/demo/cast.ts'
import { story } from '../../scripts/demo/story.ts'
import { systemForFile } from './support/shared-system.ts'

const system = systemForFile()
let cast: ReturnType<typeof castOf> | undefined
let broken = false

afterAll(() => {
  if (cast) leave(cast)
})

for (const { title, play } of story) {
  test(title, async ({ skip }) => {
    // Each step stands on those before it: what follows a failure would say nothing.
    if (broken) skip('an earlier step failed')
    broken = true
    cast ??= castOf(system())
    await play(cast)
    broken = false
  })
}
