import { isList, type Row } from './row.ts'

const directories = new Set(['show', 'season', 'collection', 'artist', 'album'])

/** The XML form of an answer: scalars become attributes, booleans "0" and "1". */
export function toXml(name: string, row: Row): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, row)}\n`
}

function element(name: string, row: Row): string {
  const attributes: string[] = []
  const children: string[] = []
  for (const [key, value] of Object.entries(row)) {
    if (value === undefined) continue
    if (isList(value)) children.push(...value.map((child) => element(elementName(key, child), child)))
    else if (typeof value === 'object') children.push(element(key, value))
    else
      attributes.push(` ${key}="${escape(typeof value === 'boolean' ? (value ? '1' : '0') : String(value))}"`)
  }
  const opening = `<${name}${attributes.join('')}`
  return children.length ? `${opening}>\n${children.join('\n')}\n</${name}>` : `${opening}/>`
}

/** XML has no Metadata element: what can be played is a Video, what holds others a Directory. */
function elementName(key: string, row: Row): string {
  if (key !== 'Metadata') return key
  return directories.has(String(row['type'])) ? 'Directory' : 'Video'
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
    .replaceAll('\n', '&#10;')
}
