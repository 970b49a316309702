import type { EndedScan, Requester } from '../plex/scan.ts'
import type { ScanHistory, WaitingList } from '../plex/scanning.ts'

const mostKept = 50

/** Who waits for scans, one row each, so that a thousand who wait are no burden to the next one. */
export function createWaitingList(sql: SqlStorage): WaitingList {
  sql.exec(
    `create table if not exists waiting (
       scan_id text not null, kind text not null, id text not null, file text not null,
       primary key (scan_id, kind, id, file)
     ) without rowid`,
  )
  return {
    note(scanId, requester) {
      const { id, file } = columnsOf(requester)
      const values = [scanId, requester.kind, id, file]
      return sql.exec('insert or ignore into waiting values (?, ?, ?, ?)', ...values).rowsWritten > 0
    },

    of: (scanIds) =>
      scanIds.flatMap((scanId) =>
        sql
          .exec<Row>('select kind, id, file from waiting where scan_id = ?', scanId)
          .toArray()
          .map((row) => ({ scanId, requester: requesterOf(row) })),
      ),

    forget(scanIds) {
      for (const scanId of scanIds) sql.exec('delete from waiting where scan_id = ?', scanId)
    },
  }
}

type Row = { readonly kind: Requester['kind']; readonly id: string; readonly file: string }

function columnsOf(requester: Requester): Omit<Row, 'kind'> {
  switch (requester.kind) {
    case 'download':
      return { id: requester.downloadId, file: requester.file }
    case 'delivery':
      return { id: String(requester.deliveryId), file: '' }
    case 'user':
      return { id: requester.userId, file: requester.file ?? '' }
  }
}

function requesterOf({ kind, id, file }: Row): Requester {
  switch (kind) {
    case 'download':
      return { kind, downloadId: id, file }
    case 'delivery':
      return { kind, deliveryId: Number(id) }
    case 'user':
      return { kind, userId: id, ...(file !== '' && { file }) }
  }
}

export function createScanHistory(storage: SyncKvStorage): ScanHistory {
  const all = () => storage.get<readonly EndedScan[]>('ended-scans') ?? []
  return {
    all,
    add: (scan) => {
      storage.put('ended-scans', [scan, ...all()].slice(0, mostKept))
    },
  }
}
