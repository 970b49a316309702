import { encodeJpeg } from './jpeg.ts'

// Three by five points a letter, one octal digit a row.
const glyphs: Readonly<Record<string, string>> = {
  A: '25755',
  B: '65656',
  C: '34443',
  D: '65556',
  E: '74647',
  F: '74644',
  G: '34553',
  H: '55755',
  I: '72227',
  J: '11152',
  K: '55655',
  L: '44447',
  M: '57755',
  N: '65555',
  O: '25552',
  P: '65644',
  Q: '25573',
  R: '65655',
  S: '34216',
  T: '72222',
  U: '55557',
  V: '55552',
  W: '55775',
  X: '55255',
  Y: '55222',
  Z: '71247',
  0: '75557',
  1: '26227',
  2: '61247',
  3: '61216',
  4: '55711',
  5: '74616',
  6: '34652',
  7: '71224',
  8: '25252',
  9: '25316',
}

/** A picture which shows the text on a gradient that depends on it, so that posters can be told apart. */
export function drawPoster(text: string, width: number, height: number): Buffer {
  const hue = hash(text) % 360
  const rgb = new Uint8Array(width * height * 3)
  const top = colour(hue, 0.55)
  const bottom = colour((hue + 50) % 360, 0.18)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const share = (y / height) * 0.85 + (x / width) * 0.15
      const at = (y * width + x) * 3
      for (let c = 0; c < 3; c += 1) rgb[at + c] = (top[c] ?? 0) * (1 - share) + (bottom[c] ?? 0) * share
    }
  }
  write(rgb, { width, height, text })
  return encodeJpeg(width, height, rgb)
}

function write(
  rgb: Uint8Array,
  { width, height, text }: { width: number; height: number; text: string },
): void {
  const dot = Math.max(1, Math.floor(width / 44))
  const perLine = Math.max(1, Math.floor((width - 4 * dot) / (4 * dot)))
  for (const [row, line] of wrap(text, perLine).entries()) {
    const y = Math.floor(height * 0.3) + row * 8 * dot
    for (const [column, letter] of [...line].entries()) {
      stamp(rgb, {
        width,
        height,
        left: (2 + column * 4) * dot,
        top: y,
        dot,
        glyph: glyphs[letter] ?? '00000',
      })
    }
  }
}

type Stamp = { width: number; height: number; left: number; top: number; dot: number; glyph: string }

function stamp(rgb: Uint8Array, { width, height, left, top, dot, glyph }: Stamp): void {
  for (let y = 0; y < 5 * dot; y += 1) {
    for (let x = 0; x < 3 * dot; x += 1) {
      const lit = (Number(glyph[Math.floor(y / dot)]) >> (2 - Math.floor(x / dot))) & 1
      if (!lit || top + y >= height || left + x >= width) continue
      rgb.fill(240, ((top + y) * width + left + x) * 3, ((top + y) * width + left + x) * 3 + 3)
    }
  }
}

function wrap(text: string, perLine: number): string[] {
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toUpperCase()
  const lines: string[] = []
  for (const word of plain.split(/[^A-Z0-9]+/).filter(Boolean)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= perLine)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word.slice(0, perLine))
  }
  return lines
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}

function colour(hue: number, lightness: number): readonly [number, number, number] {
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12
    return (
      255 * (lightness - 0.6 * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
    )
  }
  return [channel(0), channel(8), channel(4)]
}
