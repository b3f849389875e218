/** The curve of an ensemble's gain, drawn. */
import type { EnsembleReport } from './ensemble-report.js'

const [width, height] = [480, 300]
const frame = { left: 72, right: 464, top: 44, bottom: 248 }

export function curveSvg({ curve, measure, members, best }: EnsembleReport): string {
  const values = curve.map((point) => point[measure]!)
  const name = measure === 'accuracy' ? 'accuracy' : 'root mean squared error'
  const { ticks, low, high, places } = scaleOf([...values, best[measure]!])
  const x = (count: number) =>
    curve.length === 1
      ? (frame.left + frame.right) / 2
      : frame.left + 12 + ((frame.right - frame.left - 24) * (count - 1)) / (curve.length - 1)
  const y = (value: number) => frame.bottom - ((frame.bottom - frame.top) * (value - low)) / (high - low)
  const points = values.map((value, i) => [x(i + 1), y(value)].map(round))
  const step = Math.max(1, Math.ceil(curve.length / 12))
  const counts = curve.map(({ count }) => count).filter((count) => (count - 1) % step === 0)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
    `<title>${name} by the number of members</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${frame.left}" y="24" font-size="14">Ensemble of ${members.length}: ${name} by count</text>`,
    ...ticks.flatMap((tick) => [
      `<path d="M${frame.left} ${round(y(tick))}H${frame.right}" stroke="#ddd"/>`,
      text(frame.left - 8, y(tick) + 4, tick.toFixed(places), 'end'),
    ]),
    ...counts.map((count) => text(x(count), frame.bottom + 18, String(count), 'middle')),
    text((frame.left + frame.right) / 2, height - 12, 'number of members', 'middle'),
    `<text transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)" text-anchor="middle">${name}</text>`,
    `<path d="M${frame.left} ${round(y(best[measure]!))}H${frame.right}" stroke="#888" stroke-dasharray="4 4"/>`,
    text(frame.right - 4, y(best[measure]!) - 5, 'best member', 'end'),
    `<polyline points="${points.map((point) => point.join(',')).join(' ')}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="#1f6feb"/>`),
    '</svg>',
    '',
  ].join('\n')
}

const round = (value: number): number => Math.round(10 * value) / 10

const text = (x: number, y: number, label: string, anchor: string): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${label}</text>`

/** Four to eight round numbers that hold all values between them. */
function scaleOf(values: readonly number[]): { ticks: number[]; low: number; high: number; places: number } {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const span = most > least ? most - least : Math.max(Math.abs(most), 1e-6) / 10
  const rough = span / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10)
  const first = Math.floor(least / step - 0.25)
  const last = Math.ceil(most / step + 0.25)
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)
  return { ticks, low: first * step, high: last * step, places: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) }
}
