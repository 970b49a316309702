/** The only schedule that can be kept here; any other would need a reader of cron expressions. */
const everyMinute = '* * * * *'
const minuteMs = 60_000

export type Crons = { readonly fire: () => Promise<void>; readonly stop: () => void }

export type CronsOptions = {
  readonly schedules: readonly string[]
  readonly run: (schedule: string, at: Date) => Promise<void>
  /** Without a clock they run only when fired. */
  readonly clock: boolean
}

/** Fires the Worker's schedules at each full minute, as Cloudflare does. */
export function startCrons({ schedules, run, clock }: CronsOptions): Crons {
  const other = schedules.find((schedule) => schedule !== everyMinute)
  if (other !== undefined) throw new Error(`The schedule "${other}" cannot be kept on this machine.`)
  const fire = async (): Promise<void> => {
    const at = new Date()
    for (const schedule of schedules) await run(schedule, at)
  }
  let timer: NodeJS.Timeout | undefined
  const wait = (): void => {
    timer = setTimeout(
      () => {
        wait()
        // A round that fails says so in the Worker's own log, and the next one comes anyway.
        fire().catch(() => undefined)
      },
      minuteMs - (Date.now() % minuteMs),
    )
  }
  if (clock && schedules.length > 0) wait()
  return { fire, stop: () => clearTimeout(timer) }
}
