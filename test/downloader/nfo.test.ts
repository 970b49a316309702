import fc from 'fast-check'
import { expect, test } from 'vitest'
import { episodeNfo, showNfo } from '../../downloader/nfo.ts'

const request = {
  metadata: { id: 'x', title: 'T', availableHeights: [], availableQualities: [] },
  channel: 'C',
  videoId: 'dQw4w9WgXcQ',
  site: 'youtube',
  date: '2025-07-04',
  episodeNumber: '070401',
}

test('an episode tells what it is', () => {
  const nfo = episodeNfo({
    ...request,
    metadata: { ...request.metadata, title: 'Cats & <dogs>', durationSeconds: 125, description: 'One\nTwo' },
  })
  expect(nfo).toBe(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<episodedetails>
  <title>Cats &amp; &lt;dogs&gt;</title>
  <showtitle>C</showtitle>
  <season>2025</season>
  <episode>70401</episode>
  <plot>One
Two</plot>
  <aired>2025-07-04</aired>
  <premiered>2025-07-04</premiered>
  <studio>C</studio>
  <runtime>2</runtime>
  <uniqueid type="youtube" default="true">dQw4w9WgXcQ</uniqueid>
</episodedetails>
`)
})

test('no title can break out of its element or hold what XML cannot', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (title) => {
      const nfo = episodeNfo({ ...request, metadata: { ...request.metadata, title }, channel: title })
      const plain = episodeNfo(request)
      const tags = (xml: string): number => xml.split('<').length
      if (title !== '') expect(tags(nfo)).toBe(tags(plain))
      expect(nfo.isWellFormed()).toBe(true)
      // oxlint-disable-next-line no-control-regex -- these are the characters in question
      expect(nfo).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
      expect(showNfo(title).isWellFormed()).toBe(true)
    }),
  )
})
