// The pictures of examples/optimizers: what the files hold, and that the trails teach what CS231n's notes say.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as factories from '../dist/optimizers/index.js'
import { outlines, ravine, saddle } from '../examples/optimizers/surface.js'
import { frame } from '../examples/optimizers/svg.js'
import { trajectory } from '../examples/optimizers/trajectory.js'

const test = suite('pictures')
const root = fileURLToPath(new URL('..', import.meta.url))
const steps = 150
const { customOptimizer, ...ours } = factories
const names = [...Object.keys(ours), 'momentum', 'nesterov'].sort()

function run(...more) {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-pictures-'))
  execFileSync(process.execPath, [join(root, 'examples/optimizers/index.js'), folder, ...more])
  const files = ['ravine', 'saddle'].map((name) => [name, readFileSync(join(folder, `${name}.svg`), 'utf8')])
  rmSync(folder, { recursive: true })
  return Object.fromEntries(files)
}

const pairs = (text) => text.split(' ').map((pair) => pair.split(',').map(Number))
/** Name to pixels, one a step. */
const trailsOf = (svg) => {
  const found = [...svg.matchAll(/<path id="(\w+)" d="M([^"]*)"/g)]
  return Object.fromEntries(found.map(([, name, points]) => [name, pairs(points)]))
}
const animated = run()
const trails = { ravine: trailsOf(animated.ravine), saddle: trailsOf(animated.saddle) }

/** Tags balance, attributes are quoted, nothing but names and text stands between. */
function checkXml(text) {
  const open = []
  const rest = text.replace(
    /<(\/?)([a-zA-Z]+)((?: [\w-]+="[^"<&]*")*)(\/?)>/g,
    (_, closing, name, _attributes, empty) => {
      if (closing) assert.is(open.pop(), name)
      else if (!empty) open.push(name)
      return ''
    },
  )
  assert.equal(open, [])
  assert.not.match(rest, /[<>&]/)
}

for (const [picture, surface] of Object.entries({ ravine, saddle })) {
  test(`${picture}.svg is well-formed and has a trail, a mark and a legend for every optimizer`, () => {
    const svg = animated[picture]
    checkXml(svg)
    assert.equal(Object.keys(trails[picture]).sort(), names)
    assert.is(svg.match(/<animateTransform /g).length, names.length)
    for (const name of names) assert.match(svg, `>${name}<tspan`)
    assert.is(
      new Set([...svg.matchAll(/id="\w+"[^>]*stroke="(#\w+)"/g)].map(([, colour]) => colour)).size,
      names.length,
    )
  })

  test(`${picture}: trails begin at the start and stay within the picture`, () => {
    const { place, bottom } = frame(surface.view)
    const [left, top] = place([surface.view.x[0], surface.view.y[1]])
    const right = place([surface.view.x[1], 0])[0]
    for (const [name, pixels] of Object.entries(trails[picture])) {
      assert.is(pixels.length, steps + 1, name)
      assert.equal(pixels[0], place(surface.start), name)
      assert.ok(
        pixels.every(([x, y]) => x > left && x < right && y > top && y < bottom),
        name,
      )
    }
  })

  test(`${picture}: the animation uncovers each trail as far as its mark has come`, () => {
    const offsets = [
      ...animated[picture].matchAll(/id="(\w+)"[^>]*stroke-dasharray="([\d.]+)"><[^>]* values="([^"]*)"/g),
    ]
    const marks = [...animated[picture].matchAll(/<animateTransform [^>]* values="([^"]*)"/g)]
    assert.is(offsets.length, names.length)
    for (const [i, [, name, dash, values]] of offsets.entries()) {
      const hidden = values.split(';').map(Number)
      const places = marks[i][1].split(';')
      assert.is(hidden.length, places.length)
      const path = trails[picture][name]
      assert.equal(pairs(places.slice(0, steps + 1).join(' ')), path)
      let length = 0
      for (let step = 0; step <= steps; step++) {
        if (step > 0) length += Math.hypot(path[step][0] - path[step - 1][0], path[step][1] - path[step - 1][1])
        assert.ok(Math.abs(dash - hidden[step] - length) < 0.11, `${name}, step ${step}`)
      }
      assert.ok(hidden.slice(steps).every((value) => value === 0))
    }
  })

  test(`${picture}: gradients are those of the surface, and outlines lie at their level`, () => {
    const h = 1e-5
    for (const [x, y] of [surface.start, [0.7, -0.3], [-1.1, 1.2]]) {
      const { value } = surface
      const [dx, dy] = surface.gradient(x, y)
      assert.ok(Math.abs((value(x + h, y) - value(x - h, y)) / (2 * h) - dx) < 1e-8)
      assert.ok(Math.abs((value(x, y + h) - value(x, y - h)) / (2 * h) - dy) < 1e-8)
    }
    const edges = [...surface.view.x, ...surface.view.y]
    for (const level of surface.levels) {
      const loops = outlines(surface, level)
      assert.ok(loops.length > 0)
      for (const [x, y] of loops.flat()) {
        const inner = [x, x, y, y].every((value, i) => Math.abs(value - edges[i]) > 1e-9)
        if (inner) assert.ok(Math.abs(surface.value(x, y) - level) < 0.01, `${level} at ${x}, ${y}`)
        else assert.ok(surface.value(x, y) < level + 0.01)
      }
    }
  })

  test(`${picture}: the model walks as the formulas of sgd and momentum say, within 1e-12`, async () => {
    const slope = {
      ravine: ([x, y]) => [x / 10, y + y],
      saddle: ([x, y]) => [x, (y - 1) * y * (y + 1)],
    }[picture]
    for (const momentum of [0, 0.9]) {
      const found = await trajectory(surface, sgd({ learningRate: 0.05, momentum }), steps)
      assert.is(found.length, steps + 1)
      let point = surface.start
      let velocity = [0, 0]
      for (const at of found) {
        for (const axis of [0, 1]) assert.ok(Math.abs(at[axis] - point[axis]) <= 1e-12, `momentum ${momentum}`)
        const gradient = slope(point)
        velocity = velocity.map((v, axis) => momentum * v - 0.05 * gradient[axis])
        point = point.map((w, axis) => w + velocity[axis])
      }
    }
  })
}

test('the area within an outline is that of the ellipse', () => {
  const level = 0.1
  const [loop, ...others] = outlines(ravine, level)
  assert.is(others.length, 0)
  const twice = loop.reduce((sum, [x, y], i) => sum + x * loop.at(i - 1)[1] - y * loop.at(i - 1)[0], 0)
  const ellipse = (Math.PI * level) / Math.sqrt(0.05)
  assert.ok(Math.abs(Math.abs(twice) / 2 / ellipse - 1) < 0.02)
})

test('in the ravine momentum overshoots the minimum and sgd does not; all come near it', () => {
  const { place } = frame(ravine.view)
  const [minimum, floor] = place([0, 0])
  const unit = place([1, 0])[0] - minimum
  const furthest = (name) => Math.max(...trails.ravine[name].map(([x]) => x))
  assert.ok(furthest('sgd') < minimum)
  for (const name of ['momentum', 'nesterov']) assert.ok(furthest(name) > minimum + unit / 2, name)
  assert.ok(furthest('momentum') > furthest('nesterov'))
  for (const [name, pixels] of Object.entries(trails.ravine)) {
    const [x, y] = pixels.at(-1)
    assert.ok(Math.abs(x - minimum) < 0.6 * unit && Math.abs(y - floor) < 0.2 * unit, name)
  }
})

test('on the saddle sgd is on the ridge when rmsprop has left it; momentum leaves in between; all come to a minimum', () => {
  const { place } = frame(saddle.view)
  const [minimum, top] = place([0, 1])
  const ridge = place([0, 0])[1]
  const unit = ridge - top
  const height = (name, step) => (ridge - trails.saddle[name][step][1]) / unit
  assert.ok(height('sgd', 24) < 0.02)
  for (const name of ['momentum', 'nesterov']) {
    assert.ok(height(name, 10) < 0.02 && height(name, 24) > 0.05 && height(name, 24) < 0.5, name)
  }
  // Muon has one rate for the matrix: the length of a step is given, its direction is momentum's.
  assert.ok(height('muon', 24) < 0.02)
  const adaptive = names.filter((name) => !['sgd', 'momentum', 'nesterov', 'muon'].includes(name))
  assert.is(adaptive.length, names.length - 4)
  for (const name of adaptive) assert.ok(height(name, 10) > 0.1 && height(name, 24) > 0.4, name)
  for (const [name, pixels] of Object.entries(trails.saddle)) {
    const [x, y] = pixels.at(-1)
    assert.ok(Math.abs(x - minimum) < 0.2 * unit && Math.abs(y - top) < 0.1 * unit, name)
  }
})

test('docs/pictures has the still pictures as the example draws them, small enough for a page', () => {
  for (const [name, svg] of Object.entries(run('--still'))) {
    checkXml(svg)
    assert.not.match(svg, '<animate')
    assert.equal(Object.keys(trailsOf(svg)).sort(), names)
    assert.ok(Buffer.byteLength(svg) < 60_000)
    const committed = readFileSync(join(root, `docs/pictures/${name}.svg`), 'utf8')
    assert.ok(svg === committed, `node examples/optimizers/index.js docs/pictures --still: ${name}.svg differs`)
  }
})

/** Chunks of a WebP file, by the container's description (RFC 9649): name and content of each. */
function chunksOf(bytes) {
  assert.is(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 8, 12), 'RIFFWEBP')
  assert.is(bytes.readUInt32LE(4), bytes.length - 8)
  const chunks = []
  for (let at = 12; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4)
    chunks.push([bytes.toString('latin1', at, at + 4), bytes.subarray(at + 8, at + 8 + size)])
    at += 8 + size + (size % 2)
  }
  return chunks
}

test('the moving picture of terminal and page: small enough, without end, 15 to 25 seconds, and in the README', () => {
  const bytes = readFileSync(join(root, 'docs/pictures/live.webp'))
  assert.ok(bytes.length < 1_600_000, String(bytes.length))
  const chunks = chunksOf(bytes)
  const [, animation] = chunks.find(([name]) => name === 'ANIM')
  assert.is(animation.readUInt16LE(4), 0, 'turns')
  const frames = chunks.filter(([name]) => name === 'ANMF')
  const seconds = frames.reduce((sum, [, frame]) => sum + frame.readUIntLE(12, 3), 0) / 1000
  assert.ok(frames.length > 50 && seconds > 15 && seconds < 25, `${frames.length} frames, ${seconds} s`)
  assert.match(readFileSync(join(root, 'README.md'), 'utf8'), '](docs/pictures/live.webp)')
})

test.run()
