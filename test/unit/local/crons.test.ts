import { afterEach, expect, test, vi } from 'vitest'
import { startCrons } from '../../../scripts/local/crons.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('schedules are fired at each full minute, until they are stopped', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12, 0, 42) })
  const fired: string[] = []
  const run = async (schedule: string, at: Date): Promise<void> => {
    fired.push(`${schedule} ${at.toISOString()}`)
  }
  const crons = startCrons({ schedules: ['* * * * *'], run, clock: true })
  await vi.advanceTimersByTimeAsync(17_999)
  expect(fired).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(fired).toEqual(['* * * * * 2026-01-01T12:01:00.000Z', '* * * * * 2026-01-01T12:02:00.000Z'])
  crons.stop()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(fired).toHaveLength(2)
})

test('a round that fails does not end the next ones', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  let rounds = 0
  const run = async (): Promise<void> => {
    rounds += 1
    throw new Error('broken')
  }
  const crons = startCrons({ schedules: ['* * * * *'], run, clock: true })
  await vi.advanceTimersByTimeAsync(180_000)
  crons.stop()
  expect(rounds).toBe(3)
})

test('without a clock they run when fired, and only then', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  const run = vi.fn(async () => undefined)
  const crons = startCrons({ schedules: ['* * * * *'], run, clock: false })
  await vi.advanceTimersByTimeAsync(180_000)
  expect(run).not.toHaveBeenCalled()
  await crons.fire()
  expect(run).toHaveBeenCalledOnce()
})

test('a schedule that cannot be kept is refused by name', () => {
  const run = async (): Promise<void> => undefined
  expect(() => startCrons({ schedules: ['0 3 * * *'], run, clock: true })).toThrow('0 3 * * *')
})
