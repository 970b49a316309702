/** Numbers a millisecond has room for: ids grow with time, so that no index on time is needed. */
const perMillisecond = 1_024

/** A number for what arrived now. Two of one millisecond may collide: whoever inserts it has to ask again then. */
export function newDeliveryId(now: number, random: number): number {
  return now * perMillisecond + Math.floor(random * perMillisecond)
}

/** The smallest number that something which arrived at that time can have. */
export const firstIdAt = (at: number) => at * perMillisecond

export const receivedAt = (id: number) => Math.floor(id / perMillisecond)

export const showDeliveryId = (id: number) => `wh_${id.toString(36)}`

/** The number behind a shown id, or `undefined` when it was never one of ours. */
export function parseDeliveryId(shown: string): number | undefined {
  const digits = /^wh_([0-9a-z]{1,11})$/.exec(shown)?.[1]
  const id = digits === undefined ? Number.NaN : Number.parseInt(digits, 36)
  return Number.isSafeInteger(id) && showDeliveryId(id) === shown ? id : undefined
}
