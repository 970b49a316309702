import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Catalogue, Item, Section } from './catalogue.ts'
import { hash } from './poster.ts'
import { fileFacts, folderWithin, isFolder, mediaFiles } from './youtube-files.ts'

export type ScanRecord = {
  readonly section: string
  readonly path?: string
  readonly force: boolean
  readonly at: number
  /** Rating keys of what appeared and of what went. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly outcome: 'done' | 'nothing' | 'cancelled'
}

type Scan = {
  readonly uuid: string
  readonly section: string
  readonly path?: string
  readonly force: boolean
}
type Running = Scan & { readonly startedAt: number; readonly stop: () => void; hasRead: boolean }

export type ScannerOptions = {
  readonly catalogue: Catalogue
  /** The section whose files are really on disk. */
  readonly filesSection: string
  readonly scanMs: number
  readonly now: () => number
  readonly onAdded: (items: readonly Item[]) => void
  readonly onRemoved: (ratingKey: string) => void
}

/** Scans sections, one scan at a time in each; what is asked for meanwhile waits, the same thing once only. */
export class Scanner {
  private readonly options: ScannerOptions
  private readonly running = new Map<string, Running>()
  private readonly done: ScanRecord[] = []
  private waiting: readonly Scan[] = []
  private idlers: (() => void)[] = []

  constructor(options: ScannerOptions) {
    this.options = options
  }

  /** Reads the files that are there when the server starts. */
  async prime(): Promise<void> {
    const seen = await readFolder(this.options, { section: this.options.filesSection })
    if (seen) apply(this.options, seen, { primed: true })
  }

  request(section: string, { path, force = false }: { path?: string; force?: boolean } = {}): string {
    const same = this.waiting.find((other) => other.section === section && other.path === path)
    if (same) return same.uuid
    const scan = { uuid: randomUUID(), section, force, ...(path === undefined ? {} : { path }) }
    if (this.running.has(section)) this.waiting = [...this.waiting, scan]
    else void this.run(scan)
    return scan.uuid
  }

  cancel(section: string): void {
    this.waiting = this.waiting.filter((scan) => scan.section !== section)
    this.running.get(section)?.stop()
  }

  isScanning(section: string): boolean {
    return this.running.has(section)
  }

  records(): readonly ScanRecord[] {
    return this.done
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.running.size === 0) resolve()
      else this.idlers.push(resolve)
    })
  }

  /** What runs, once it has read its folder and a while has passed; its progress is -1 until it is known. */
  activities(): readonly { uuid: string; section: string; progress: number }[] {
    return [...this.running.values()].flatMap(({ uuid, section, startedAt, hasRead }) => {
      const share = (this.options.now() - startedAt) / Math.max(1, this.options.scanMs)
      if (share < 0.1 || !hasRead) return []
      return [{ uuid, section, progress: share < 0.2 ? -1 : Math.min(100, Math.round(share * 100)) }]
    })
  }

  private async run(scan: Scan): Promise<void> {
    const { section, path, force } = scan
    const stopped = new AbortController()
    const startedAt = this.options.now()
    const running = { ...scan, startedAt, stop: () => stopped.abort(), hasRead: false }
    this.running.set(section, running)
    // Read at the start, shown at the end: a file that lands meanwhile is not seen by this scan.
    const seen = await readFolder(this.options, scan)
    running.hasRead = true
    await setTimeout(this.options.scanMs, undefined, { signal: stopped.signal }).catch(() => undefined)
    const cancelled = stopped.signal.aborted
    const change = cancelled || !seen ? nothing : apply(this.options, seen)
    const outcome = cancelled ? 'cancelled' : seen ? 'done' : 'nothing'
    this.done.push({
      section,
      ...(path === undefined ? {} : { path }),
      force,
      at: startedAt,
      ...change,
      outcome,
    })
    this.running.delete(section)
    this.next(section)
  }

  private next(section: string): void {
    const scan = this.waiting.find((other) => other.section === section)
    this.waiting = this.waiting.filter((other) => other !== scan)
    if (scan) void this.run(scan)
    if (this.running.size > 0) return
    const idlers = this.idlers
    this.idlers = []
    for (const resolve of idlers) resolve()
  }
}

const nothing: Change = { added: [], removed: [] }

type Seen = {
  readonly section: Section
  readonly folder: string
  readonly facts: ReadonlyMap<string, Facts>
  /** False when the whole location is away: then what is missing may be back soon, and stays. */
  readonly mounted: boolean
}
type Facts = NonNullable<Awaited<ReturnType<typeof fileFacts>>>

async function readFolder(
  options: ScannerOptions,
  scan: { section: string; path?: string },
): Promise<Seen | undefined> {
  const section = options.catalogue.section(scan.section)
  const roots = section?.locations.map((location) => location.path) ?? []
  const [root] = roots
  if (!section || root === undefined) return undefined
  const folder = scan.path === undefined ? root : await folderWithin(roots, scan.path)
  if (folder === undefined) return undefined
  const facts = new Map<string, Facts>()
  if (section.key === options.filesSection) {
    for (const file of await mediaFiles(folder)) {
      const known = await fileFacts(file)
      if (known) facts.set(file, known)
    }
  }
  return { section, folder, facts, mounted: await isFolder(root) }
}

type Change = { readonly added: readonly string[]; readonly removed: readonly string[] }

function apply(
  options: ScannerOptions,
  { section, folder, facts, mounted }: Seen,
  { primed = false } = {},
): Change {
  const { catalogue, now } = options
  section.scannedAt = Math.floor(now() / 1000)
  if (section.key !== options.filesSection) return nothing
  const known = catalogue.list(section.key, 'movie')
  const below = (item: Item) => item.file?.startsWith(`${folder}${path.sep}`) ?? false
  const gone = mounted ? known.filter((item) => below(item) && !facts.has(item.file ?? '')) : []
  for (const { ratingKey } of gone) {
    catalogue.remove(ratingKey)
    options.onRemoved(ratingKey)
  }
  const files = new Map(known.map((item) => [item.file, item]))
  const fresh = [...facts].filter(([file]) => !files.has(file))
  const added = fresh.map(([file, found]) => {
    const { modifiedAt, ...rest } = found
    const addedAt = primed ? modifiedAt : section.scannedAt
    const base = {
      kind: 'movie',
      sectionKey: section.key,
      addedAt,
      updatedAt: modifiedAt,
      pictured: true,
    } as const
    const ratingKey = keyOf(catalogue, file)
    return catalogue.put({ ...base, ...rest, ratingKey, guid: `local://${ratingKey}` })
  })
  if (added.length && !primed) options.onAdded(added)
  return { added: added.map(({ ratingKey }) => ratingKey), removed: gone.map(({ ratingKey }) => ratingKey) }
}

/** One path always gets the same key, also after a restart. */
function keyOf(catalogue: Catalogue, file: string): string {
  let key = 1_000_000 + (hash(file) % 900_000_000)
  while (catalogue.item(String(key))) key += 1
  return String(key)
}
