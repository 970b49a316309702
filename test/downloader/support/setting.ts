import { join, resolve } from 'node:path'
import { inject, type TestContext } from 'vitest'
import { startVideoSite, type VideoSite } from '../../world/video-site/video-site.ts'
import { filesIn, launch, temporaryLibrary, type Launched } from './launch.ts'
import { startScriptedWorker, type ScriptedWorker } from './scripted-worker.ts'

export type Setting = {
  readonly worker: ScriptedWorker
  readonly site: VideoSite
  readonly library: string
  readonly files: () => Promise<string[]>
  /** Starts a downloader, or another one after the first has ended. */
  readonly launch: (env?: Readonly<Record<string, string>>) => Launched
  readonly close: () => Promise<void>
}

const mediaFolder = resolve(import.meta.dirname, '../../../node_modules/.cache/video-site')

/** A video site, a Worker and a library for a downloader to stand between. */
export async function openSetting(): Promise<Setting> {
  const [site, worker, library] = await Promise.all([
    startVideoSite({ folder: mediaFolder, ffmpeg: inject('tools').ffmpeg }),
    startScriptedWorker(),
    temporaryLibrary(),
  ])
  const launched: Launched[] = []
  return {
    site,
    worker,
    library: library.path,
    files: () => filesIn(library.path),
    launch: (env = {}) => {
      const downloader = launch(worker, library.path, {
        ALLOWED_HOSTS: `127.0.0.1:${site.port}`,
        SLOTS: '4',
        MAX_BYTES: '20000000',
        SITE_STARTS_PER_HOUR: '1000000',
        SITE_BURST: '1000',
        ...env,
      })
      launched.push(downloader)
      return downloader
    },
    close: async () => {
      for (const { child } of launched) child.kill('SIGKILL')
      await Promise.all(launched.map(({ ended }) => ended))
      await Promise.all([site.close(), worker.close()])
      await library.remove()
    },
  }
}

export type Test = Pick<TestContext, 'onTestFinished'>

/** The same, closed when the test is over: the test must be named, since others run beside it. */
export async function settingOf({ onTestFinished }: Test): Promise<Setting> {
  const setting = await openSetting()
  onTestFinished(setting.close)
  return setting
}

export const jobsFolder = (setting: Setting): string => join(setting.library, '.medianest', 'jobs')
