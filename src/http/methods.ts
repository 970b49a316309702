import type { Feature } from './feature.ts'

/** The methods a path does take, by the operations; empty when there is no such resource. */
export function allowedMethods(features: readonly Feature[], path: string): readonly string[] {
  const local = path.replace(/^\/api\/v1(?=\/)/, '/api')
  const methods = features.flatMap(({ base, operations }) =>
    operations.filter((operation) => pattern(`/api${base}${operation.path}`).test(local)),
  )
  // HEAD is answered wherever GET is.
  return [
    ...new Set(
      methods.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])),
    ),
  ].toSorted()
}

function pattern(path: string): RegExp {
  const source = path
    .replace(/\/$/, '')
    .split('/')
    .map((part) => (part.startsWith(':') ? (part.endsWith('{.+}') ? '.+' : '[^/]+') : part))
    .join('/')
  return new RegExp(`^${source}$`)
}
