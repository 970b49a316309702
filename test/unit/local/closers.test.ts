import { expect, test } from 'vitest'
import { createClosers } from '../../../scripts/local/closers.ts'

test('what was started last is ended first, and each only once', async () => {
  const ended: string[] = []
  const closers = createClosers()
  closers.add(() => void ended.push('first'))
  closers.add(async () => {
    await Promise.resolve()
    ended.push('second')
  })
  await Promise.all([closers.close(), closers.close()])
  await closers.close()
  expect(ended).toEqual(['second', 'first'])
})

test('one that cannot be ended does not keep the others alive', async () => {
  const ended: string[] = []
  const closers = createClosers()
  closers.add(() => void ended.push('below'))
  closers.add(() => Promise.reject(new Error('stuck')))
  closers.add(() => {
    throw new Error('stuck')
  })
  await closers.close()
  expect(ended).toEqual(['below'])
})

test('what is started while all is ended already, is ended right away', async () => {
  const ended: string[] = []
  const closers = createClosers()
  await closers.close()
  closers.add(() => void ended.push('late'))
  await closers.close()
  expect(ended).toEqual(['late'])
})

test('force is only for those that know how', () => {
  const forced: string[] = []
  const closers = createClosers()
  closers.add(() => undefined)
  closers.add(
    () => new Promise(() => undefined),
    () => void forced.push('hanging'),
  )
  closers.force()
  expect(forced).toEqual(['hanging'])
})
