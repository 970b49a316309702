type Table = ReadonlyMap<string, number>

export type Picture = {
  readonly width: number
  readonly height: number
  readonly blocks: number
  /** The mean of each component, in 0…255. */
  readonly means: readonly number[]
  /** True when nothing but padding is left before the end marker. */
  readonly complete: boolean
}

/** Reads a baseline 4:4:4 JPEG by the tables it carries itself; independent of how it was written. */
export function readJpeg(file: Buffer): Picture {
  const tables = new Map<number, Table>()
  let [quantum, width, height] = [1, 0, 0]
  let at = 2
  for (;;) {
    const marker = file.readUInt16BE(at)
    const length = file.readUInt16BE(at + 2)
    const body = file.subarray(at + 4, at + 2 + length)
    at += 2 + length
    if (marker === 0xffdb) quantum = body.readUInt8(1)
    if (marker === 0xffc0) [height, width] = [body.readUInt16BE(1), body.readUInt16BE(3)]
    if (marker === 0xffc4) tables.set(body.readUInt8(0), readTable(body))
    if (marker === 0xffda) break
  }
  const bits = bitsOf(file.subarray(at, -2))
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  const sums = [0, 0, 0]
  const dc = [0, 0, 0]
  for (let block = 0; block < blocks * 3; block += 1) {
    const component = block % 3
    const value = (dc[component] ?? 0) + readBlock(bits, tables)
    dc[component] = value
    sums[component] = (sums[component] ?? 0) + value
  }
  const means = sums.map((sum) => (sum * quantum) / 8 / blocks + 128)
  const complete = file.readUInt16BE(file.length - 2) === 0xffd9 && bits.left() < 8
  return { width, height, blocks, means, complete }
}

function readTable(body: Buffer): Table {
  const table = new Map<string, number>()
  let [code, next] = [0, 17]
  for (let length = 1; length <= 16; length += 1) {
    for (let i = 0; i < body.readUInt8(length); i += 1) {
      table.set(code.toString(2).padStart(length, '0'), body.readUInt8(next))
      code += 1
      next += 1
    }
    code *= 2
  }
  return table
}

type Bits = { readonly take: (count: number) => string; readonly left: () => number }

function bitsOf(data: Buffer): Bits {
  const bytes = [...data].filter((byte, i) => !(byte === 0 && data[i - 1] === 0xff))
  const text = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let at = 0
  return {
    take: (count) => {
      if (at + count > text.length) throw new Error('the data ends too early')
      at += count
      return text.slice(at - count, at)
    },
    left: () => text.length - at,
  }
}

/** Reads one block to its end; answers its DC difference. */
function readBlock(bits: Bits, tables: ReadonlyMap<number, Table>): number {
  const difference = readValue(bits, readSymbol(bits, tables.get(0x00)))
  for (let k = 1; k < 64; k += 1) {
    const symbol = readSymbol(bits, tables.get(0x10))
    if (symbol === 0) break
    k += symbol >> 4
    if (k > 63) throw new Error('a block of more than 64 coefficients')
    readValue(bits, symbol & 15)
  }
  return difference
}

function readSymbol(bits: Bits, table: Table | undefined): number {
  let code = ''
  while (code.length < 16) {
    code += bits.take(1)
    const symbol = table?.get(code)
    if (symbol !== undefined) return symbol
  }
  throw new Error('no such code')
}

function readValue(bits: Bits, length: number): number {
  if (length === 0) return 0
  const text = bits.take(length)
  const value = Number.parseInt(text, 2)
  return text.startsWith('1') ? value : value - 2 ** length + 1
}
