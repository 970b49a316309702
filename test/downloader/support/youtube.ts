import { inject } from 'vitest'
import { createYouTube, type YouTube, type YouTubeView } from '../../world/youtube/youtube.ts'
import { startSponsorBlock, type SponsorBlock } from '../../world/youtube/sponsorblock.ts'
import type { Setting, Test } from './setting.ts'

export type YouTubeSetting = YouTube & {
  readonly sponsorBlock: SponsorBlock
  /** What the downloader of the setting sees: launch it with `YT_DLP_PATH: youTube.seen.ytDlp`. */
  readonly seen: YouTubeView
}

/** A YouTube and a SponsorBlock beside a setting, gone when the test is over. */
export async function youTubeOf(
  { onTestFinished }: Test,
  { site }: Pick<Setting, 'site'>,
): Promise<YouTubeSetting> {
  const sponsorBlock = await startSponsorBlock()
  const youTube = await createYouTube({
    site,
    ytDlp: inject('tools').ytDlp,
    sponsorBlock: sponsorBlock.url,
  })
  onTestFinished(async () => {
    await Promise.all([youTube.close(), sponsorBlock.close()])
  })
  return { ...youTube, sponsorBlock, seen: await youTube.view() }
}
