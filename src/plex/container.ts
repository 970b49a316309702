/**
 * Reading what PMS answers. Numbers come as text, arrays are absent when empty or an object when single, nulls turn
 * up anywhere: these readers take all of that, and throw never.
 */
export type Row = Readonly<Record<string, unknown>>

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function rows(value: unknown): readonly Row[] {
  if (Array.isArray(value)) return value.filter(isRow)
  return isRow(value) ? [value] : []
}

const lists = ['Metadata', 'Directory', 'Hub', 'Activity'] as const

/** Absent, single or many: all that a list of PMS can be. */
const isList = (value: unknown) =>
  value === undefined ||
  value === null ||
  value === '' ||
  isRow(value) ||
  (Array.isArray(value) && (value.length === 0 || value.some(isRow)))

/** Whether what stands where lists belong are lists: taken for empty ones, they would tell of a library without films. */
export function isContainer(value: unknown): value is Row {
  return (
    isRow(value) &&
    lists.every((name) => isList(value[name])) &&
    rows(value['Hub']).every((hub) => isList(hub['Metadata']) && isList(hub['Directory']))
  )
}

export function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

export function decimal(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export function integer(value: unknown): number | undefined {
  const whole = Math.trunc(decimal(value) ?? Number.NaN)
  return Number.isSafeInteger(whole) ? whole : undefined
}

export function flag(value: unknown): boolean {
  return value === true || value === 1 || value === '1'
}

/** Seconds since the epoch as an ISO instant. Zero means unset; a date in the future is clamped to now. */
export function instant(value: unknown, now: number): string | undefined {
  const seconds = integer(value)
  if (seconds === undefined || seconds <= 0) return undefined
  return new Date(Math.min(seconds * 1000, now)).toISOString()
}

/** How many there are in all: the order in which PMS's statements can be trusted. */
export function total(container: Row, header: string | undefined, offset: number, received: number): number {
  return Math.max(0, integer(container['totalSize']) ?? integer(header) ?? offset + received)
}
