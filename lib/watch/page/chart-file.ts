/** A chart to take along: its numbers as CSV, its picture as PNG. */
import uPlot from 'uplot'
import type { AxisKind } from './axes.js'
import type { Line } from './chart.js'
import { element } from './dom.js'
import { colour } from './palette.js'

interface Shown {
  lines: readonly Line[]
  axis: AxisKind
  canvas: HTMLCanvasElement | undefined
}

export function exportButtons(title: string, shown: () => Shown): HTMLElement {
  const button = (kind: string, make: (shown: Shown) => Promise<Blob | null>) =>
    element(
      'button',
      {
        type: 'button',
        class: 'file',
        title: `Save this chart as ${kind}`,
        'aria-label': `${title} as ${kind}`,
        onclick: async () =>
          save(await make(shown()), `${title.replaceAll(/\W+/g, '-').toLowerCase()}.${kind.toLowerCase()}`),
      },
      kind,
    )
  return element(
    'span',
    { class: 'files' },
    button('CSV', async ({ lines, axis }) => new Blob([toCsv(lines, axis)], { type: 'text/csv' })),
    button('PNG', async ({ lines, canvas }) => (canvas ? toPng(title, lines, canvas) : null)),
  )
}

function save(blob: Blob | null, name: string): void {
  if (!blob) return
  const url = URL.createObjectURL(blob)
  element('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** A row a place on the axis, a column a line; those behind others (before smoothing) are left out. RFC 4180. */
export function toCsv(lines: readonly Line[], axis: AxisKind): string {
  const shown = lines.filter(({ isPale }) => !isPale)
  const tables = shown.map(({ x, y }) => [x, y] as unknown as uPlot.AlignedData)
  const columns = tables.length > 0 ? uPlot.join(tables) : [[]]
  const head = [axis === 'time' ? 'seconds' : axis, ...shown.map(({ label }) => label)].map(quoted)
  const rows = Array.from(columns[0]!, (_, row) => columns.map((column) => column[row] ?? ''))
  return [head, ...rows].map((cells) => `${cells.join(',')}\r\n`).join('')
}

/** A name that begins like a formula would be one in a spreadsheet. */
function quoted(name: string): string {
  const plain = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** With its title and legend. */
function toPng(title: string, lines: readonly Line[], plot: HTMLCanvasElement): Promise<Blob | null> {
  const scale = devicePixelRatio
  const [margin, line] = [12 * scale, 18 * scale]
  const picture = element('canvas', { width: plot.width + 2 * margin, height: plot.height + 2 * margin + 2 * line })
  const context = picture.getContext('2d')!
  context.fillStyle = colour('surface')
  context.fillRect(0, 0, picture.width, picture.height)
  context.drawImage(plot, margin, margin + line)
  context.textBaseline = 'top'
  context.fillStyle = colour('text')
  context.font = `600 ${13 * scale}px system-ui, sans-serif`
  context.fillText(title, margin, margin)
  context.font = `${12 * scale}px system-ui, sans-serif`
  let left = margin
  for (const { label, colour: swatch } of lines.filter(({ isPale }) => !isPale)) {
    const top = picture.height - margin - line + 4 * scale
    context.fillStyle = swatch
    context.fillRect(left, top + 6 * scale, 12 * scale, 3 * scale)
    context.fillStyle = colour('text')
    context.fillText(label, left + 16 * scale, top)
    left += context.measureText(label).width + 30 * scale
  }
  return new Promise((resolve) => picture.toBlob(resolve))
}
