import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { Protection, RemovedBody, RemoveQuery, RetriedBody, RetryFailedQuery } from './control-schema.ts'
import type { Control } from './control.ts'
import type { History } from './history.ts'
import { DownloadBody, DownloadParam } from './schema.ts'
import { forUser } from './view.ts'

const cancelDownload = operation({
  id: 'cancelDownload',
  method: 'post',
  path: '/downloads/:id/cancel',
  summary: 'Stop a download and leave nothing behind',
  access: 'user',
  request: { param: DownloadParam },
  responses: { 200: DownloadBody },
  problems: ['not-found', 'download-finished'],
})

const retryDownload = operation({
  id: 'retryDownload',
  method: 'post',
  path: '/downloads/:id/retry',
  summary: 'Try again what has failed or was cancelled',
  access: 'user',
  limit: 'metadata',
  request: { param: DownloadParam },
  responses: { 200: DownloadBody },
  problems: ['not-found', 'download-not-failed', 'duplicate-download', 'storage-quota-exceeded'],
})

const retryFailed = operation({
  id: 'retryFailedDownloads',
  method: 'post',
  path: '/downloads/retry-failed',
  summary: 'Try again all that may go better now, a hundred at most',
  access: 'user',
  limit: 'metadata',
  request: { query: RetryFailedQuery },
  responses: { 200: RetriedBody },
  problems: ['forbidden', 'storage-quota-exceeded'],
})

const removeDownload = operation({
  id: 'deleteDownload',
  method: 'delete',
  path: '/downloads/:id',
  summary: 'Take a download out of the history, and its file out of the library if that is wanted',
  access: 'user',
  request: { param: DownloadParam, query: RemoveQuery },
  responses: { 200: RemovedBody },
  problems: ['not-found', 'download-active', 'forbidden'],
})

const removeFile = operation({
  id: 'deleteDownloadFile',
  method: 'delete',
  path: '/downloads/:id/file',
  summary: 'Take a download’s file out of the library and keep the record',
  access: 'user',
  request: { param: DownloadParam },
  responses: { 200: RemovedBody },
  problems: ['not-found', 'download-active', 'download-has-no-file'],
})

const protectDownload = operation({
  id: 'protectDownload',
  method: 'put',
  path: '/downloads/:id/protection',
  summary: 'Have retention leave a download’s file alone, or not any more',
  access: 'user',
  request: { param: DownloadParam, json: Protection },
  responses: { 200: DownloadBody },
  problems: ['not-found'],
})

export const downloadControl = (control: Control, history: History): Feature =>
  feature('/youtube', (on) => {
    on(cancelDownload, async ({ c, caller, param: { id } }) => {
      await control.cancel(caller, id)
      return c.json({ data: forUser(caller, await history.find(caller, id)) }, 200)
    })
    on(retryDownload, async ({ c, caller, param: { id } }) => {
      await control.retry(caller, id)
      return c.json({ data: forUser(caller, await history.find(caller, id)) }, 200)
    })
    on(retryFailed, async ({ c, caller, query }) => {
      const data = await control.retryFailed(caller, query)
      return c.json({ data, meta: { count: data.length } }, 200)
    })
    on(removeDownload, async ({ c, caller, param, query }) =>
      c.json({ data: await control.remove(caller, param.id, query.file) }, 200),
    )
    on(removeFile, async ({ c, caller, param }) =>
      c.json({ data: await control.removeFile(caller, param.id) }, 200),
    )
    on(protectDownload, async ({ c, caller, param, json }) =>
      c.json({ data: forUser(caller, await control.protect(caller, param.id, json.protected)) }, 200),
    )
  })
