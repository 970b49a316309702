import { expect, test } from 'vitest'
import { askableThumbnail } from '../../downloader/artwork.ts'

test('only the picture hosts of the site itself are asked', () => {
  const youtube = 'https://www.youtube.com/watch?v=dQw4w9WgXcQ'
  const ask = (thumbnail: string | undefined, page = youtube) =>
    askableThumbnail(thumbnail, page, ['media.example:8443'])
  expect(ask('https://i.ytimg.com/vi/x/maxresdefault.webp')).toBeDefined()
  expect(ask('https://i9.ytimg.com/vi/x/hq.jpg')).toBeDefined()
  expect(ask('https://media.example:8443/t.jpg')).toBeDefined()
  expect(ask('http://127.0.0.1:8080/t.jpg', 'http://127.0.0.1:8080/watch/a')).toBeDefined()
  for (const address of [
    'http://127.0.0.1:32400/photo',
    'http://i.ytimg.com/x.jpg',
    'https://i.ytimg.com:8443/x.jpg',
    'https://i.ytimg.com.evil.example/x.jpg',
    'https://media.example/t.jpg',
    'file:///etc/passwd',
    '/relative.jpg',
    undefined,
  ])
    expect(ask(address)).toBeUndefined()
})
