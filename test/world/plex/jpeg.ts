/** Baseline JPEG, 4:4:4, with the standard luminance tables for all three components. */

const zigzag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
]

const luminance = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]

const dcLengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const dcValues = Buffer.from('000102030405060708090a0b', 'hex')
const acLengths = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125]
const acValues = Buffer.from(
  '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a' +
    '3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a' +
    '92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da' +
    'e1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
  'hex',
)

type Code = { readonly bits: number; readonly length: number }

/** The canonical Huffman codes of a table, by symbol. */
function huffman(lengths: readonly number[], values: Buffer): readonly Code[] {
  const codes: Code[] = []
  let bits = 0
  let next = 0
  for (const [index, count] of lengths.entries()) {
    for (let i = 0; i < count; i += 1) {
      codes[values[next] ?? 0] = { bits, length: index + 1 }
      bits += 1
      next += 1
    }
    bits <<= 1
  }
  return codes
}

const dcCodes = huffman(dcLengths, dcValues)
const acCodes = huffman(acLengths, acValues)

const cosines = Float64Array.from({ length: 64 }, (_, i) => {
  const [u, x] = [i >> 3, i & 7]
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16)
})

class BitWriter {
  private bytes = Buffer.alloc(1 << 16)
  private used = 0
  private pending = 0
  private count = 0

  put(bits: number, length: number): void {
    for (let i = length - 1; i >= 0; i -= 1) {
      this.pending = (this.pending << 1) | ((bits >> i) & 1)
      this.count += 1
      if (this.count === 8) this.flushByte()
    }
  }

  end(): Buffer {
    while (this.count !== 0) this.put(1, 1)
    return this.bytes.subarray(0, this.used)
  }

  private flushByte(): void {
    if (this.used + 2 > this.bytes.length)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(this.bytes.length)])
    this.bytes[this.used] = this.pending
    // A data byte of all ones is followed by a zero, so that it is not taken for a marker.
    this.used += this.pending === 0xff ? 2 : 1
    if (this.pending === 0xff) this.bytes[this.used - 1] = 0
    this.pending = 0
    this.count = 0
  }
}

/** Encodes pixels, three bytes each, row by row. */
export function encodeJpeg(width: number, height: number, rgb: Uint8Array, quality = 80): Buffer {
  const scale = quality < 50 ? 5000 / quality : 200 - quality * 2
  const table = luminance.map((value) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))))
  const writer = new BitWriter()
  const samples = new Float64Array(64)
  const previous = [0, 0, 0]
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (const component of [0, 1, 2]) {
        readBlock(samples, { width, height, rgb, top, left, component })
        previous[component] = writeBlock(writer, transform(samples, table), previous[component] ?? 0)
      }
    }
  }
  return Buffer.concat([header(width, height, table), writer.end(), Buffer.from([0xff, 0xd9])])
}

type Block = { width: number; height: number; rgb: Uint8Array; top: number; left: number; component: number }

const weights = [
  [0.299, 0.587, 0.114, -128],
  [-0.168736, -0.331264, 0.5, 0],
  [0.5, -0.418688, -0.081312, 0],
] as const

function readBlock(samples: Float64Array, { width, height, rgb, top, left, component }: Block): void {
  const [red, green, blue, shift] = weights[component] ?? weights[0]
  for (let i = 0; i < 64; i += 1) {
    // The last row and column are repeated beyond the edge.
    const y = Math.min(height - 1, top + (i >> 3))
    const x = Math.min(width - 1, left + (i & 7))
    const at = (y * width + x) * 3
    samples[i] = red * (rgb[at] ?? 0) + green * (rgb[at + 1] ?? 0) + blue * (rgb[at + 2] ?? 0) + shift
  }
}

/** The quantised coefficients of a block, in zigzag order. */
function transform(samples: Float64Array, table: readonly number[]): Int32Array {
  const half = new Float64Array(64)
  const full = new Float64Array(64)
  for (let i = 0; i < 64; i += 1) {
    const [row, u] = [i & 56, i & 7]
    let sum = 0
    for (let x = 0; x < 8; x += 1) sum += (cosines[u * 8 + x] ?? 0) * (samples[row + x] ?? 0)
    half[i] = sum
  }
  for (let i = 0; i < 64; i += 1) {
    const [v, column] = [i >> 3, i & 7]
    let sum = 0
    for (let y = 0; y < 8; y += 1) sum += (cosines[v * 8 + y] ?? 0) * (half[y * 8 + column] ?? 0)
    full[i] = sum
  }
  return Int32Array.from(zigzag, (natural) => Math.round((full[natural] ?? 0) / (table[natural] ?? 1)))
}

function writeBlock(writer: BitWriter, coefficients: Int32Array, previous: number): number {
  const dc = coefficients[0] ?? 0
  writeValue(writer, dcCodes, 0, dc - previous)
  let zeros = 0
  for (let k = 1; k < 64; k += 1) {
    const value = coefficients[k] ?? 0
    if (value === 0) {
      zeros += 1
      continue
    }
    for (; zeros > 15; zeros -= 16) writeCode(writer, acCodes, 0xf0)
    writeValue(writer, acCodes, zeros, value)
    zeros = 0
  }
  if (zeros > 0) writeCode(writer, acCodes, 0)
  return dc
}

function writeValue(writer: BitWriter, codes: readonly Code[], run: number, value: number): void {
  const length = value === 0 ? 0 : 32 - Math.clz32(Math.abs(value))
  writeCode(writer, codes, (run << 4) | length)
  writer.put(value < 0 ? value + (1 << length) - 1 : value, length)
}

function writeCode(writer: BitWriter, codes: readonly Code[], symbol: number): void {
  const code = codes[symbol]
  if (code) writer.put(code.bits, code.length)
}

function header(width: number, height: number, table: readonly number[]): Buffer {
  const segment = (marker: number, body: readonly number[]) => {
    const length = body.length + 2
    return [0xff, marker, length >> 8, length & 255, ...body]
  }
  return Buffer.from([
    0xff,
    0xd8,
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...zigzag.map((natural) => table[natural] ?? 1)]),
    ...segment(0xc0, [
      8,
      height >> 8,
      height & 255,
      width >> 8,
      width & 255,
      3,
      1,
      17,
      0,
      2,
      17,
      0,
      3,
      17,
      0,
    ]),
    ...segment(0xc4, [0x00, ...dcLengths, ...dcValues]),
    ...segment(0xc4, [0x10, ...acLengths, ...acValues]),
    ...segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
  ])
}
