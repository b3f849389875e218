// Draws a surface and the trails on it as one SVG, still or animated (SMIL, no script).
import { outlines } from './surface.js'

const width = 760
const margin = 20
const top = 64
const columns = 4
const rowHeight = 26

// Paul Tol's "muted" scheme and five colours of Okabe and Ito: told apart by the colour-blind too. Shapes repeat what colours say.
const colours = ['#000000', '#d55e00', '#cc6677', '#117733', '#44aa99', '#999933']
colours.push('#332288', '#56b4e9', '#882255', '#aa4499', '#e69f00', '#0072b2')
const shapes = ['M-6,0a6,6 0 1 0 12,0a6,6 0 1 0 -12,0z', 'M-5,-5h10v10h-10z', 'M0,-7L6.5,5h-13z', 'M0,-7L7,0L0,7L-7,0z']

/** How points of the view become pixels, and the pixel at which it ends. */
export function frame({ x, y }) {
  const scale = (width - 2 * margin) / (x[1] - x[0])
  const pixel = (value) => Math.round(value * 10) / 10
  const place = (point) => [pixel(margin + (point[0] - x[0]) * scale), pixel(top + (y[1] - point[1]) * scale)]
  return { place, bottom: place([x[1], y[0]])[1] }
}

/**
 * `trails`: of { name, learningRate, points }, all as long. `marked` is the step at which the still picture has its marks;
 * without one it is animated.
 */
export function draw({ title, notes, surface, trails, marked }) {
  const { place, bottom } = frame(surface.view)
  const legend = bottom + 30
  const height = legend + Math.ceil(trails.length / columns) * rowHeight + 4
  const styled = trails.map((trail, i) => ({
    ...trail,
    colour: colours[i % colours.length],
    shape: shapes[(i + Math.floor(i / columns)) % shapes.length], // no column repeats one
    pixels: trail.points.map(place),
    legend: [
      margin + 8 + (i % columns) * ((width - 2 * margin) / columns),
      legend + Math.floor(i / columns) * rowHeight,
    ],
  }))
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${Math.ceil(height)}" font-family="sans-serif">`,
    `<title>${title}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${margin}" y="28" font-size="19" font-weight="bold">${title}</text>`,
    `<text x="${margin}" y="50" font-size="14" fill="#444">${notes}</text>`,
    ...surface.levels.map((level, i) => region(surface, level, i, place)).reverse(),
    ...styled.map((trail) => line(trail, marked === undefined)),
    ...styled.map((trail) => mark(trail, marked)),
    ...styled.map(entry),
    '</svg>',
  ].join('\n')}\n`
}

const list = (pixels) => pixels.map((pixel) => pixel.join(',')).join(' ')

/** What lies below the level, the darker the lower. */
function region(surface, level, i, place) {
  const path = outlines(surface, level).map((loop) => `M${list(loop.map(place))}z`)
  const lightness = 83 + (15 * i) / surface.levels.length
  return `<path d="${path.join('')}" fill="hsl(215,25%,${lightness.toFixed(1)}%)" stroke="#fff"/>`
}

function line({ name, colour, pixels }, animated) {
  const style = `fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"`
  const path = `<path id="${name}" d="M${list(pixels)}" ${style}`
  if (!animated) return `${path}/>`
  const lengths = [0]
  for (const [i, [a, b]] of pixels.slice(1).entries()) {
    lengths.push(lengths[i] + Math.sqrt((a - pixels[i][0]) ** 2 + (b - pixels[i][1]) ** 2))
  }
  // One dash as long as the whole, moved back by what is not to be seen yet.
  const whole = lengths.at(-1)
  const hidden = lengths.map((length) => (whole - length).toFixed(1))
  return `${path} stroke-dasharray="${whole.toFixed(1)}">${animation('animate', 'stroke-dashoffset', hidden)}</path>`
}

function mark({ colour, shape, pixels }, marked) {
  const start = `<path d="${shape}" fill="${colour}" stroke="#fff" transform="translate(${pixels.at(marked ?? -1)})"`
  if (marked !== undefined) return `${start}/>`
  return `${start}>${animation('animateTransform', 'transform', list(pixels).split(' '), ' type="translate"')}</path>`
}

/** One value a step, a fifteenth of a second each; then a rest at the last. */
function animation(element, attribute, values, more = '') {
  const rest = Array(45).fill(values.at(-1))
  const all = [...values, ...rest]
  const duration = `dur="${((all.length - 1) / 15).toFixed(1)}s" repeatCount="indefinite"`
  return `<${element} attributeName="${attribute}"${more} values="${all.join(';')}" ${duration}/>`
}

function entry({ name, learningRate, colour, shape, legend: [x, y] }) {
  const rate = `<tspan fill="#666" dx="6">${learningRate}</tspan>`
  return [
    `<path d="M${x - 6},${y}h28" stroke="${colour}" stroke-width="2"/>`,
    `<path d="${shape}" fill="${colour}" stroke="#fff" transform="translate(${x + 8},${y})"/>`,
    `<text x="${x + 30}" y="${y + 5}" font-size="15">${name}${rate}</text>`,
  ].join('')
}
