/** One element of an answer: what JSON shows as an object and XML as an element with attributes. */
export type Row = { readonly [name: string]: string | number | boolean | Row | readonly Row[] | undefined }

/** Rows under a name, or nothing: Plex leaves empty arrays out. */
export function rows(name: string, list: readonly Row[]): Row {
  return list.length ? { [name]: list } : {}
}

export function isList(value: Row[string]): value is readonly Row[] {
  return Array.isArray(value)
}
