import { isRow, type Row } from './container.ts'
import { isImagePath, type ImagePath, type ImageSize } from './image-paths.ts'

/** Signs what only we can have said. */
export type ImageSignatures = {
  sign(message: string): Promise<string>
  verify(message: string, signature: string): Promise<boolean>
}

export type ImageDependencies = { readonly signatures: ImageSignatures }

/**
 * What a signature vouches for: this user, with this share, was shown this picture. Not the size: whoever may see a
 * picture may see it larger, and the ladder has few steps.
 */
const vouched = (scope: string, path: ImagePath) => `${scope} ${path}`

const base = '/api/plex/images'
/** What an address says until its reader puts another size there. */
const usualSize = { poster: 'w480', art: 'w1280' } as const satisfies Record<string, ImageSize>

export function createImages({ signatures }: ImageDependencies) {
  const addressOf = async (scope: string, path: ImagePath): Promise<SignedPath> => {
    const signature = await signatures.sign(vouched(scope, path))
    return (size) => `${base}/${scope}/${signature}/${size}${path}`
  }

  return {
    /** Puts addresses of ours where the value has paths of PMS: in the members called `images`. */
    async sign<T>(scope: string, value: T): Promise<T> {
      const paths = [...new Set(pathsIn(value))]
      const addresses = new Map(
        await Promise.all(paths.map(async (path) => [path, await addressOf(scope, path)] as const)),
      )
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- text has become other text, and nothing else
      return withAddresses(value, addresses) as T
    },
  }
}

type SignedPath = (size: ImageSize) => string

function pathsIn(value: unknown): ImagePath[] {
  if (Array.isArray(value)) return value.flatMap(pathsIn)
  if (!isRow(value)) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'images' && isRow(member) ? Object.values(member).filter(isPath) : pathsIn(member),
  )
}

const isPath = (value: unknown): value is ImagePath => typeof value === 'string' && isImagePath(value)

function withAddresses(value: unknown, addresses: ReadonlyMap<string, SignedPath>): unknown {
  if (Array.isArray(value)) return value.map((each) => withAddresses(each, addresses))
  if (!isRow(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'images' && isRow(member) ? linked(member, addresses) : withAddresses(member, addresses),
    ]),
  )
}

/** What has no address is left out: a path of PMS is of no use to anyone outside. */
function linked(images: Row, addresses: ReadonlyMap<string, SignedPath>): Row {
  return Object.fromEntries(
    Object.entries(images).flatMap(([kind, path]) => {
      const address = typeof path === 'string' ? addresses.get(path) : undefined
      return address ? [[kind, address(kind === 'poster' ? usualSize.poster : usualSize.art)]] : []
    }),
  )
}
