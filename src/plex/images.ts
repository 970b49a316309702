import { Problem } from '#contract/problem.ts'

import { isRow, type Row } from './container.ts'
import { isImagePath, isImageSize, type ImagePath, type ImageSize } from './image-paths.ts'
import type { Images } from './ports.ts'

/** Signs what only we can have said. */
export type ImageSignatures = {
  sign(message: string): Promise<string>
  verify(message: string, signature: string): Promise<boolean>
}

export type Picture = { readonly body: Uint8Array | ReadableStream; readonly contentType: string }

/** Pictures once seen, for everybody: what a path shows never changes. */
export type ImageShelf = {
  get(path: ImagePath, size: ImageSize): Promise<(Picture & { readonly ageSeconds: number }) | undefined>
  put(path: ImagePath, size: ImageSize, picture: Picture): Promise<void>
}

export type ImageDependencies = {
  readonly signatures: ImageSignatures
  /** Whether that scope is still the user's own: a changed share has another. */
  readonly holdsScope: (userId: string, scopeVersion: number) => Promise<boolean>
  readonly shelf: ImageShelf
  /** The picture as PMS shows it to that user. Throws problems only. */
  readonly read: (
    userId: string,
    path: ImagePath,
    size: ImageSize,
  ) => Promise<{ readonly body: Uint8Array; readonly contentType: string }>
}

export type ImageAddress = {
  readonly scope: string
  readonly signature: string
  readonly size: string
  readonly path: string
}

export type ShownPicture = Picture & { readonly state: 'HIT' | 'MISS'; readonly ageSeconds: number }

export type ImageService = ReturnType<typeof createImages>

/**
 * What a signature vouches for: this user, with this share, was shown this picture. Not the size: whoever may see a
 * picture may see it larger or smaller, so a page can choose from the ladder what fits its screen.
 */
const vouched = (scope: string, path: ImagePath) => `${scope} ${path}`

const base = '/api/plex/images'
const scopePattern = /^([\w-]{1,64})\.(\d{1,15})$/
/** What an address says until its reader puts another size there. */
const usualSizes: Readonly<Record<string, ImageSize>> = { poster: 'w480', art: 'w1280' }

export function createImages({ signatures, holdsScope, shelf, read }: ImageDependencies) {
  const sign: Images['sign'] = async <T>(scope: string, value: T) => {
    const paths = [...new Set(pathsIn(value))]
    const signed = await Promise.all(
      paths.map(async (path) => [path, await signatures.sign(vouched(scope, path))] as const),
    )
    const prefixes = new Map<string, string>(
      signed.map(([path, signature]) => [path, `${base}/${scope}/${signature}`]),
    )
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- text has become other text, and nothing else
    return withAddresses(value, prefixes) as T
  }

  return {
    sign,

    /** What the address names, when it is one of ours and its user's share has not changed. All else is not there. */
    async find({ scope, signature, size, path }: ImageAddress) {
      const [, userId = '', version = ''] = scopePattern.exec(scope) ?? []
      if (!userId || !isImageSize(size) || !isImagePath(path)) throw new Problem('not-found')
      if (!(await signatures.verify(vouched(scope, path), signature))) throw new Problem('not-found')
      if (!(await holdsScope(userId, Number(version)))) throw new Problem('not-found')
      return { userId, path, size }
    },

    /** The picture, from the shelf before PMS; `keep` takes what need not be waited for. */
    async show(
      { userId, path, size }: { userId: string; path: ImagePath; size: ImageSize },
      keep: (work: Promise<unknown>) => void,
    ): Promise<ShownPicture> {
      const kept = await shelf.get(path, size)
      if (kept) return { ...kept, state: 'HIT' }
      const picture = await read(userId, path, size).catch(hideAccess)
      keep(shelf.put(path, size, picture))
      return { ...picture, state: 'MISS', ageSeconds: 0 }
    },
  }
}

/** Whoever has lost access holds an address that no longer leads anywhere, and is told nothing else. */
function hideAccess(error: unknown): never {
  const lost = error instanceof Problem && ['not-a-member', 'plex-sign-in-required'].includes(error.code)
  throw lost ? new Problem('not-found', { cause: error }) : error
}

function pathsIn(value: unknown): ImagePath[] {
  if (Array.isArray(value)) return value.flatMap(pathsIn)
  if (!isRow(value)) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'images' && isRow(member) ? Object.values(member).filter(isPath) : pathsIn(member),
  )
}

const isPath = (value: unknown): value is ImagePath => typeof value === 'string' && isImagePath(value)

function withAddresses(value: unknown, prefixes: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => withAddresses(each, prefixes))
  if (!isRow(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'images' && isRow(member) ? addressed(member, prefixes) : withAddresses(member, prefixes),
    ]),
  )
}

/** What has no address is left out: a path of PMS is of no use to anyone outside. */
function addressed(images: Row, prefixes: ReadonlyMap<string, string>): Row {
  return Object.fromEntries(
    Object.entries(images).flatMap(([kind, path]) => {
      const prefix = typeof path === 'string' ? prefixes.get(path) : undefined
      return prefix ? [[kind, `${prefix}/${usualSizes[kind] ?? 'w480'}${String(path)}`]] : []
    }),
  )
}
