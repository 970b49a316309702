import type { Figures } from './rounds.ts'

/** Columns as wide as they need to be; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export function figuresTable(figures: readonly Figures[], ratios: readonly string[] = ['ratio']): string {
  const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
  return table(
    ['', 'calls/s', 'p50 ms', 'p95 ms', 'p99 ms', ...ratios, 'answers'],
    figures.map(({ name, perSecond, p50, p95, p99, ratios: measured, statuses, wrong, failures }) => [
      name,
      String(Math.round(perSecond)),
      ms(p50),
      ms(p95),
      ms(p99),
      ...measured.map((ratio) => `${ratio.toFixed(2)}×`),
      [
        ...Array.from(statuses, ([status, count]) => `${status}: ${count}`),
        ...(wrong ? [`wrong: ${wrong}`] : []),
        ...(failures ? [`none: ${failures}`] : []),
      ].join(', '),
    ]),
  )
}
