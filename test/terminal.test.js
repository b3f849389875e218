// What a run draws in a terminal, as a terminal shows it.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import xterm from '@xterm/headless'
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { progress } from '../dist/train/progress.js'
import { numbers } from './support/reference.js'

const test = suite('terminal')

/** A stream as process.stdout is in a terminal, and what stands on that terminal's screen and above it. */
function makeTerminal(columns = 100, rows = 30) {
  const terminal = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true })
  const stream = Object.assign(new EventEmitter(), {
    ...{ isTTY: true, columns, rows, written: [] },
    write(text) {
      stream.written.push(text)
      terminal.write(text)
      return true
    },
  })
  return {
    stream,
    resize(columns, rows) {
      Object.assign(stream, { columns, rows })
      terminal.resize(columns, rows)
    },
    /** Without empty lines at the end; wrapped lines are one. */
    async lines() {
      await new Promise((resolve) => terminal.write('', resolve))
      const { active } = terminal.buffer
      const lines = []
      for (let y = 0; y < active.length; y++) {
        const line = active.getLine(y)
        if (line.isWrapped) lines.push(lines.pop() + line.translateToString(true))
        else lines.push(line.translateToString(true))
      }
      while (lines.at(-1) === '') lines.pop()
      return lines
    },
  }
}

/** Of a run that does not go on with one before. */
const begun = { lineage: null }
const bars = []
function begin(stream, interval, now) {
  const bar = progress(stream, interval, now)
  bars.push(bar)
  return bar
}
test.after.each(() => {
  for (const bar of bars.splice(0)) bar.onTrainEnd({ call: begun, stoppedBy: 'epochs' })
})

/** What a run that is not in a terminal writes. */
function makePlain() {
  const stream = Object.assign(new EventEmitter(), { text: '', write: (text) => (stream.text += text) })
  return stream
}

const rows = 240
const data = { x: numbers(2 * rows, 3), y: Int32Array.from({ length: rows }, (_, i) => i % 2) }
const model = () =>
  sequential({ input: [2], seed: 2 }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
const options = { batchSize: 24, stepsPerCall: 2, quiet: true }

const barLine = /^epoch \d+\/\d+ [█░]{24} \d+% · \d+ examples · loss [0-9.]+$/
/** The curve: five rows of Braille, its axis, what it is of. */
function assertCurve(lines) {
  assert.is(lines.length, 7)
  for (const [i, line] of lines.entries()) {
    const parts = [/^ *[0-9.e-]+ ┤[⠀-⣿ ]*$/, /^ *│[⠀-⣿ ]*$/, /^ +└─{60}$/, /^ +loss +\d+ steps$/]
    assert.match(line, parts[i === 0 || i === 4 ? 0 : i < 4 ? 1 : i - 3])
  }
}

test('plain lines are those of a run outside a terminal; bar and curve stand below them, and are gone at the end', async () => {
  const [terminal, plain] = [makeTerminal(), makePlain()]
  const screens = []
  const callbacks = [
    progress(terminal.stream, 0),
    progress(plain),
    { onStepsEnd: async ({ epoch }) => screens.push([epoch, await terminal.lines()]) },
  ]
  await model().fit(data, { ...options, epochs: 50, callbacks }).done
  const expected = plain.text.split('\n')
  assert.equal(await terminal.lines(), expected.slice(0, -1))
  assert.is(expected.length, 51)
  for (const [epoch, lines] of screens) {
    assert.equal(lines.slice(0, epoch - 1), expected.slice(0, epoch - 1))
    const [bar, ...curve] = lines.slice(epoch - 1)
    assert.match(bar, barLine)
    assert.ok(bar.startsWith(`epoch ${epoch}/50 `))
    assertCurve(curve)
  }
  assert.match(screens[2][1][0], / 60% · 144 examples/)
  assert.match(screens.at(-1)[1].at(-1), / 500 steps$/)
})

/** A report of steps with these losses; of refused ones where they are NaN. */
const report = (...losses) => ({
  ...{ updates: losses.length, loss: Float64Array.from(losses), refused: Uint8Array.from(losses, Number.isNaN) },
  ...{ rowsDone: 5, rowsTotal: 10 },
})
const show = (bar, steps) => bar.onStepsEnd({ epoch: 1, epochs: 2, steps })
const record = (more = {}) => ({ epoch: 1, seconds: 1, samplesPerSecond: 2, loss: 3, ...more })

test('the curve has the whole run in it, smoothed, and refused steps leave no trace', async () => {
  const terminal = makeTerminal()
  const bar = begin(terminal.stream, 0)
  for (let i = 0; i < 100_000; i += 1000) {
    // Falls from 4 to 1 in a straight line; the noise goes up and down with every step.
    const losses = Array.from({ length: 1000 }, (_, j) => 4 - (3 * (i + j)) / 1e5 + (j % 2 ? 3 : -3))
    show(bar, report(...losses, Number.NaN))
  }
  const [, ...curve] = await terminal.lines()
  assertCurve(curve)
  assert.match(curve.at(-1), /loss +100000 steps/)
  const [most, least] = [curve[0], curve[4]].map(Number.parseFloat)
  assert.ok(Math.abs(most - 4) < 0.1 && Math.abs(least - 1) < 0.1, `${most} to ${least}`)
  const places = curve.slice(0, 5).map((line) => line.slice(line.search(/[┤│]/) + 1).search(/[⠁-⣿]/))
  const firsts = [0, 12, 24, 36, 48]
  assert.ok(
    places.every((place, i) => Math.abs(place - firsts[i]) <= 2),
    `a straight line: ${places}`,
  )
})

test('pictures are at least the interval apart', () => {
  const terminal = makeTerminal()
  let now = 1000
  const bar = begin(terminal.stream, 200, () => now)
  const drawn = []
  for (; now < 1450; now += 10) {
    const before = terminal.stream.written.length
    show(bar, report(1))
    if (terminal.stream.written.length > before) drawn.push(now)
  }
  assert.equal(drawn, [1000, 1200, 1400])
})

for (const [columns, rows] of [
  [79, 30],
  [30, 30],
  [100, 11],
  [8, 3],
]) {
  test(`${columns} × ${rows} has room for the bar alone, which is cut`, async () => {
    const terminal = makeTerminal(columns, rows)
    const bar = begin(terminal.stream, 0)
    for (let i = 0; i < 20; i++) show(bar, report(1 + i))
    const full = 'epoch 1/2 ████████████░░░░░░░░░░░░ 50% · 5 examples · loss 20'
    assert.equal(await terminal.lines(), [full.slice(0, columns - 1)])
    bar.onTrainEnd({ call: begun, stoppedBy: 'epochs' })
    assert.equal(await terminal.lines(), [])
  })
}

test('a stream has no end: the bar is a count', async () => {
  const terminal = makeTerminal(60)
  show(begin(terminal.stream, 0), { ...report(1), rowsTotal: null })
  assert.equal(await terminal.lines(), ['epoch 1/2 · 5 examples · loss 1'])
})

test('lines longer than the terminal, and terminals that change their size', async () => {
  const [terminal, plain] = [makeTerminal(), makePlain()]
  const both = [begin(terminal.stream, 0), begin(plain)]
  for (const [columns, rows] of [
    [100, 30],
    [50, 30],
    [100, 20],
    [33, 30],
    [120, 14],
    [80, 40],
  ]) {
    terminal.resize(columns, rows)
    for (let i = 0; i < 7; i++) {
      const longName = `metricOfMany${'Characters'.repeat(i)}`
      for (const bar of both) {
        show(bar, report(1 + i))
        bar.onEpochEnd({ record: record({ [longName]: i }), epochs: 9 })
        show(bar, report(2 + i))
      }
    }
    const lines = await terminal.lines()
    const expected = plain.text.split('\n').slice(0, -1)
    assert.equal(lines.slice(0, expected.length), expected, `${columns} × ${rows}`)
    assert.is(lines.length, expected.length + (columns >= 80 ? 8 : 1))
  }
  for (const bar of both) bar.onTrainEnd({ call: begun, stoppedBy: 'enough', epoch: 3 })
  assert.equal(await terminal.lines(), plain.text.split('\n').slice(0, -1))
})

test('what others write in the meantime stands between the lines, whole', async () => {
  const terminal = makeTerminal()
  const { stream } = terminal
  const { write } = stream
  const [bar, second] = [begin(stream, 0), begin(stream, 0)]
  const listeners = process.listenerCount('warning')
  for (let i = 0; i < 3; i++) {
    for (const one of [bar, second]) show(one, report(1 + i))
    for (const one of [bar, second]) show(one, report(1 + i))
    stream.write(`message ${i}\n`)
  }
  for (const one of [bar, second]) show(one, report(1))
  bar.onEpochEnd({ record: record(), epochs: 2 })
  show(second, report(1))
  // Node.js writes warnings past the stream, in a listener of its own: ours comes before it.
  process.listeners('warning')[0]()
  const lines = ['message 0', 'message 1', 'message 2', 'epoch 1/2 · 1.0 s · 2 examples/s · loss 3']
  assert.equal(await terminal.lines(), lines)
  second.onTrainEnd({ call: begun, stoppedBy: 'epochs' })
  bar.onTrainEnd({ call: begun, stoppedBy: 'epochs' })
  assert.equal(await terminal.lines(), lines)
  assert.is(stream.write, write)
  assert.is(process.listenerCount('warning'), listeners)
})

test('whoever wraps the write of a stream while lines are live breaks nothing, nor does it when it lets go', async () => {
  const terminal = makeTerminal()
  const { stream } = terminal
  const bar = begin(stream, 0)
  show(bar, report(1))
  const { write } = stream
  stream.write = (...parts) => write.apply(stream, parts)
  for (let i = 0; i < 3; i++) {
    show(bar, report(2 + i))
    stream.write(`message ${i}\n`)
    bar.onEpochEnd({ record: record(), epochs: 2 })
  }
  stream.write = write
  show(bar, report(5))
  stream.write('message 3\n')
  bar.onTrainEnd({ call: begun, stoppedBy: 'epochs' })
  const line = 'epoch 1/2 · 1.0 s · 2 examples/s · loss 3'
  const expected = ['message 0', line, 'message 1', line, 'message 2', line, 'message 3']
  assert.equal(await terminal.lines(), expected)
})

test('a terminal that cannot move its cursor gets plain lines', () => {
  const { TERM } = process.env
  process.env.TERM = 'dumb'
  try {
    const terminal = makeTerminal()
    const bar = begin(terminal.stream, 0)
    show(bar, report(1))
    bar.onEpochEnd({ record: record(), epochs: 2 })
    assert.equal(terminal.stream.written, ['epoch 1/2 · 1.0 s · 2 examples/s · loss 3\n'])
  } finally {
    if (TERM === undefined) delete process.env.TERM
    else process.env.TERM = TERM
  }
})

test('a reader that closes the pipe ends no training', async () => {
  const script = `
    import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
    const model = sequential({ input: [2] }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    const { epochs } = await model.fit({ x: [[1, 2], [3, 4]], y: [0, 1] }, { epochs: 2000, quiet: false })
    console.log(epochs)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  })
  child.stderr.once('data', () => child.stderr.destroy())
  let said = ''
  child.stdout.on('data', (text) => {
    said += text
  })
  const [status] = await once(child, 'close')
  assert.equal([status, said], [0, '2000\n'])
})

test.run()
