import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { startMonitor } from '../../downloader/monitor.ts'

test('that YouTube keeps something back is a trouble until it does no more, and is told once', async () => {
  const nowhere = '/nonexistent/tool'
  const said: (readonly string[])[] = []
  const silent = (): void => undefined
  const monitor = await startMonitor({
    tools: () => ({ ytDlp: nowhere, ffmpeg: nowhere, ffprobe: nowhere, node: process.execPath }),
    environment: {},
    libraryDirectory: tmpdir(),
    reserveBytes: 0,
    onChange: ({ troubles }) => said.push(troubles),
    isNews: () => false,
    now: () => new Date(0),
    log: { info: silent, warn: silent, error: silent },
  })
  onTestFinished(monitor.stop)
  const before = monitor.state().troubles
  said.length = 0
  for (const missing of [false, true, true, false, false]) monitor.noteFormats(missing)
  expect(said).toEqual([[...before, 'formats-missing'], before])
})
