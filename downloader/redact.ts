/** Longer lines than this are cut before they are looked at. */
const longestLine = 2000
const longestText = 300

/** More than these letters in one piece are hardly a word. */
const wordLength = 24

type Rule = readonly [pattern: RegExp, replacement: string]

/** What is precise stands before what is general. Rather too much is taken out than too little. */
const rules: readonly Rule[] = [
  // Names of headers, and all that follows them.
  [/\b((?:proxy-)?authorization|(?:set-)?cookies?|x-[\w-]+)(['"]?\s*[:=]\s*).*$/gi, '$1: <secret>'],
  [/\b(bearer|basic)\s+\S+/gi, '$1 <secret>'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"<>]+/gi, '<url>'],
  [/\b[a-z][a-z0-9+.-]*%3a%2f%2f[^\s'"<>]+/gi, '<url>'],
  [/[^\s'"<>()@]+@[^\s'"<>()@]+/g, '<e-mail>'],
  [
    /\b([\w-]*(?:token|key|signature|sig|pass(?:word|wd)?|pwd|secret|session|auth|sid|nonce|visitor_?data))(['"]?\s*[=:]\s*['"]?)[^\s'"<>,;&]+/gi,
    '$1=<secret>',
  ],
  // In quotes a path may hold spaces.
  [/'[^']*[\\/][^']*'/g, '<path>'],
  [/"[^"]*[\\/][^"]*"/g, '<path>'],
  // Else it goes from its root to the last separator, and on to the next space.
  [/(^|[\s=:('"[,>])(?:~|\.{1,2})?(?:\/|\\|[a-z]:[\\/])(?:.*[\\/])?[^\s'",;)\]]*/gi, '$1<path>'],
  [/[^\s'"<>]*[^\s'"<>/\\][/\\][^\s'"<>]+/g, '<path>'],
  [/\beyJ[\w-]+(?:\.[\w-]*)*/g, '<secret>'],
  [
    /(?<![\w:])\[?(?:[0-9a-f]{0,4}:){2,}[0-9a-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?(?:%\w+)?\]?(?![\w:])/gi,
    '<address>',
  ],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?/g, '<address>'],
  [/\b(?:[a-z0-9_-]+\.)+[a-z]{2,24}\b(?::\d+)?/gi, '<address>'],
]

const run = /[\w+/=-]{16,}/g
/** `CERTIFICATE_VERIFY_FAILED`, `--abort-on-unavailable-fragments`. */
const constantOrOption = /^(?:[A-Z]+(?:_[A-Z]+)+|(?:--)?[a-z]+(?:-[a-z]+)+)$/

function looksRandom(text: string): boolean {
  if (/\d/.test(text)) return true
  return text.length >= wordLength && !constantOrOption.test(text)
}

/**
 * A line that a tool has written, without addresses, names of machines, paths, cookies, keys and whatever else looks like
 * a secret. `known` are values that must not come out though they look like words.
 */
export function redact(line: string, known: readonly string[] = []): string {
  const text = known
    .filter((value) => value !== '')
    .reduce((rest, value) => rest.replaceAll(value, '<secret>'), cut(line))
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- sequences of a terminal begin with one
    .replace(/\u001b\[[\d;]*[A-Za-z]/g, '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
  const clean = rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
  const redacted = clean.replace(run, (found) => (looksRandom(found) ? '<secret>' : found)).trim()
  return redacted.length <= longestText ? redacted : `${redacted.slice(0, longestText - 1).trimEnd()}…`
}

/** Half of a secret is one, too. */
function cut(line: string): string {
  return line.length <= longestLine ? line : line.slice(0, longestLine).replace(/\S*$/, '…')
}
