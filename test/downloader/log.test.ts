import { expect, test } from 'vitest'
import { createLog } from '../../downloader/log.ts'

function record(secrets: readonly string[] = []) {
  const lines: string[] = []
  const log = createLog({ write: (line) => lines.push(line), now: () => new Date(0), secrets })
  return { lines, log }
}

test('a line is one JSON object', () => {
  const { lines, log } = record()
  log.info('job started', { jobId: 'x', text: 'two\nlines' })
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toContain('\n')
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    level: 'info',
    event: 'job started',
    jobId: 'x',
    text: 'two\nlines',
  })
})

test('no secret gets into a line, however it comes along', () => {
  const { lines, log } = record(['s3cret-token'])
  log.error('failed', {
    error: new Error('401 for Bearer s3cret-token'),
    cause: new Error("ENOENT: no such file or directory, open '/home/anna/films/a.mp4'"),
    nested: { list: ['x s3cret-token y'] },
    authorization: 'Bearer other',
    proxy: 'socks5://user:hunter2@10.0.0.1:1080',
    errors: ['ERROR: https://media.example/v.mp4?signature=abcdef&expire=1 gave 403'],
  })
  expect(lines.join()).not.toMatch(/s3cret|other|hunter2|abcdef|anna/)
  expect(lines.join()).toContain('https://media.example/v.mp4?…')
})
