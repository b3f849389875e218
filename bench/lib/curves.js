/**
 * Small multiples: curves on logarithmic axes, side by side, as SVG. panels: [{ title, x, y, curves: [{ name, points:
 * [[x, y]] }], levels: [y of a dashed line in the colour of each curve] }], numbers positive. The curves of all panels have
 * the same names.
 */
export function curves(title, panels) {
  const [columns, width, height] = [2, 460, 330]
  const rows = Math.ceil(panels.length / columns)
  const places = panels.map((panel, i) => {
    const at = `translate(${(i % columns) * width} ${40 + Math.floor(i / columns) * height})`
    return `<g transform="${at}">${drawPanel(panel, width, height).join('\n')}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${columns * width}" height="${40 + rows * height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="20" y="24" font-size="14">${escapeText(title)}</text>`,
    ...panels[0].curves.map(
      ({ name }, i) =>
        `<text x="${columns * width - 20}" y="${18 + 15 * i}" text-anchor="end" fill="${colours[i]}">${escapeText(name)}</text>`,
    ),
    ...places,
    '</svg>',
    '',
  ].join('\n')
}

const colours = ['#4477aa', '#cc6677', '#228833', '#aa8800']

function drawPanel({ title, x, y, curves, levels = [] }, width, height) {
  const frame = { left: 62, right: width - 20, top: 26, bottom: height - 46 }
  const points = curves.flatMap((curve) => curve.points)
  const across = scale(
    points.map(([at]) => at),
    frame.left,
    frame.right,
  )
  const up = scale([...points.map(([, value]) => value), ...levels], frame.bottom, frame.top)
  const middle = (frame.left + frame.right) / 2
  return [
    `<text x="${frame.left}" y="14" font-weight="bold">${escapeText(title)}</text>`,
    ...across.ticks.flatMap((tick) => [
      `<line x1="${across.at(tick)}" x2="${across.at(tick)}" y1="${frame.top}" y2="${frame.bottom}" stroke="#ddd"/>`,
      `<text x="${across.at(tick)}" y="${frame.bottom + 15}" text-anchor="middle">${short(tick)}</text>`,
    ]),
    ...up.ticks.flatMap((tick) => [
      `<line x1="${frame.left}" x2="${frame.right}" y1="${up.at(tick)}" y2="${up.at(tick)}" stroke="#ddd"/>`,
      `<text x="${frame.left - 6}" y="${up.at(tick) + 4}" text-anchor="end">${short(tick)}</text>`,
    ]),
    `<text x="${middle}" y="${frame.bottom + 33}" text-anchor="middle">${escapeText(x)}</text>`,
    `<text transform="translate(14 ${(frame.top + frame.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeText(y)}</text>`,
    ...levels.map(
      (value, i) =>
        `<line x1="${frame.left}" x2="${frame.right}" y1="${up.at(value)}" y2="${up.at(value)}" stroke="${colours[i]}" stroke-dasharray="5 4"/>`,
    ),
    ...curves.flatMap(({ points }, i) => {
      const places = points.map(([at, value]) => `${across.at(at).toFixed(1)},${up.at(value).toFixed(1)}`)
      return [
        `<polyline points="${places.join(' ')}" fill="none" stroke="${colours[i]}" stroke-width="1.5"/>`,
        ...places.map((place) => `<circle ${center(place)} r="2.5" fill="${colours[i]}"/>`),
      ]
    }),
  ]
}

const center = (place) => place.replace(/^(.*),(.*)$/, 'cx="$1" cy="$2"')

/** From numbers to places on a logarithmic axis; ticks at 1, 2 and 5 of each decade, or powers of ten where they are many. */
function scale(values, from, to) {
  const [low, high] = [Math.min(...values) * 0.9, Math.max(...values) * 1.1]
  const at = (value) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from)
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high / low)) + 1 },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  )
  const steps = decades.length > 4 ? [1] : [1, 2, 5]
  const ticks = decades.flatMap((decade) => steps.map((step) => Number((step * decade).toPrecision(3))))
  return { at, ticks: ticks.filter((tick) => tick >= low && tick <= high) }
}

const powers = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹']
function short(value) {
  const power = Math.log10(value)
  return power >= 4 && Number.isInteger(power)
    ? `10${powers[power]}`
    : value.toLocaleString('en', { maximumFractionDigits: 9 })
}
const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
