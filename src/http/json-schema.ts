import * as z from 'zod'

export type Json = Record<string, unknown>

export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const local = '#/$defs/'
const shared = '#/components/schemas/'

/**
 * Moves the definitions that each schema of a document carries along to the document's own components. A reference
 * is read from the top of the document, where a schema's own definitions would not be found.
 */
export function shareDefinitions(document: Json): Json {
  const found = new Map<string, unknown>()
  const moved = move(document, found)
  if (!isJson(moved)) return document
  const components = isJson(moved['components']) ? moved['components'] : {}
  const schemas = isJson(components['schemas']) ? components['schemas'] : {}
  return { ...moved, components: { ...components, schemas: { ...schemas, ...Object.fromEntries(found) } } }
}

function move(value: unknown, found: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => move(each, found))
  if (!isJson(value)) return value
  const { $defs, ...rest } = value
  for (const [name, schema] of isJson($defs) ? Object.entries($defs) : [])
    share(name, move(schema, found), found)
  return Object.fromEntries(
    Object.entries(rest).map(([key, each]) => [
      key,
      key === '$ref' && typeof each === 'string' ? each.replace(local, shared) : move(each, found),
    ]),
  )
}

function share(name: string, schema: unknown, found: Map<string, unknown>): void {
  const known = found.get(name)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new Error(`Two different schemas are called ${name}`)
  }
  found.set(name, schema)
}

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
