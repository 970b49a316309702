import { escapeHtml } from './sign-in-page.ts'

/** What plex.tv says to a client that forgot to ask for JSON: attributes, all of them text. */
export function toXml(path: string, body: unknown): string {
  const name = /([a-z]+)(\/\d+)?$/.exec(path)?.[1] ?? 'response'
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, body)}\n`
}

function element(name: string, value: unknown): string {
  if (Array.isArray(value)) {
    return `<${name}>${value.map((entry) => element(name.replace(/s$/, ''), entry)).join('')}</${name}>`
  }
  if (typeof value !== 'object' || value === null) return `<${name}>${attribute(value)}</${name}>`
  const entries = Object.entries(value)
  const flat = entries.filter(([, entry]) => typeof entry !== 'object' || entry === null)
  const nested = entries.filter(([, entry]) => typeof entry === 'object' && entry !== null)
  const attributes = flat.map(([key, entry]) => ` ${key}="${attribute(entry)}"`).join('')
  return `<${name}${attributes}>${nested.map(([key, entry]) => element(key, entry)).join('')}</${name}>`
}

function attribute(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return value ? '1' : '0'
  return escapeHtml(typeof value === 'string' ? value : JSON.stringify(value))
}
