import { expect, test } from 'vitest'
import { expectedBytes, note, openAccount } from '../../../downloader/ytdlp/account.ts'
import { parseRecords } from '../../../downloader/ytdlp/records.ts'

const heard = (...records: readonly object[]) => {
  const account = openAccount()
  for (const record of records)
    for (const parsed of parseRecords(`@n@${JSON.stringify(record)}`, '@n@') ?? []) note(account, parsed)
  return account
}
const start = { kind: 'start', info: { format_id: '18', filesize_approx: 900 } }
const tick = (said: object) => ({
  kind: 'tick',
  info: { format_id: '18' },
  tick: said,
})

test('what a server says of the size counts more than what the site had estimated', () => {
  expect(expectedBytes(heard(start))).toBe(900)
  expect(expectedBytes(heard(start, tick({ status: 'downloading', total_bytes: 1000 })))).toBe(1000)
})

test('a file that lies there already does not tell how long the film is at its server', () => {
  const account = heard(start, tick({ status: 'finished', total_bytes: 1200 }))
  expect(account.exactSizes.size).toBe(0)
  expect(expectedBytes(account)).toBe(900)
})
