// What the live page is told while runs grow, without a connection in between.
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answer } from '../dist/watch/server/api.js'
import { extend } from '../dist/watch/server/columns.js'
import { Events } from '../dist/watch/server/events.js'
import { RunFolder, toJson } from '../dist/watch/server/index.js'
import { packAll, packBytes, unpackAll, unpackBytes } from '../dist/watch/server/packed.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const telling = suite('watch events')
const folder = mkdtempSync(join(tmpdir(), 'gradus-events-'))
telling.after(() => rmSync(folder, { recursive: true }))

/** A client of events without a connection: what it is told stays in `told`, as text. */
class Listener extends EventEmitter {
  told = []
  isDropped = false

  constructor(events, { isReading = true } = {}) {
    super()
    this.writableNeedDrain = !isReading
    events.add({ headers: {} }, this)
  }

  writeHead() {}

  write(text) {
    this.told.push(text)
  }

  destroy() {
    this.isDropped = true
    this.emit('close')
  }

  get news() {
    const data = this.told.flatMap((text) => /^data: (.*)$/m.exec(text)?.[1] ?? [])
    return data.map((text) => unpackAll(JSON.parse(text)))
  }
}

telling('all of a run is asked for now and then, and at once when its state changes', async () => {
  const writer = new RunWriter(join(folder, 'paced'), { epochs: 2 })
  writer.steps(5)
  const pace = { poll: 20, redraw: 1e6 }
  const events = new Events(await RunFolder.open(folder), pace)
  const client = new Listener(events)
  const redrawn = () => client.news.filter(({ redraw }) => redraw.includes('paced')).length
  const knows = (step) =>
    client.news.some(({ grown }) => grown.some((run) => run.name === 'paced' && run.step === step))
  try {
    await until(() => knows(5) && redrawn() === 2)
    writer.steps(5)
    await until(() => knows(10))
    assert.is(redrawn(), 2)
    writer.system()
    await until(() =>
      client.news.at(-1).grown.some(({ seconds, samplesPerSecond }) => seconds === 0.04 && samplesPerSecond > 30_000),
    )
    writer.steps(1, () => ({ refused: 1, loss: Number.NaN }))
    writer.entry({ type: 'refusal', step: 11, layer: 'dense1', tensor: null })
    await until(() => redrawn() === 3)
    writer.end('epochs')
    await until(() => redrawn() === 4)
    assert.is(client.news.at(-1).grown.find(({ name }) => name === 'paced').status, 'finished')
    pace.redraw = 0
    writer.entry({ type: 'begin', step: 11, time: 0 })
    for (let k = 0; k < 2; k++) {
      const before = redrawn()
      writer.steps(2)
      await until(() => redrawn() > before)
    }
  } finally {
    events.close()
  }
})

telling('the ends of curves that come with events make them what the server has', async () => {
  const writer = new RunWriter(join(folder, 'curves'))
  writer.steps(3)
  const runs = await RunFolder.open(folder)
  const events = new Events(runs, { poll: 20, redraw: 1e6 })
  const client = new Listener(events)
  const served = async () => unpackAll(JSON.parse(toJson(await answer(runs, '/api/steps', 'run=curves'))))
  const ends = () => client.news.flatMap(({ steps }) => steps.filter(({ run }) => run === 'curves'))
  try {
    await until(() => client.news.some(({ redraw }) => redraw.includes('curves')))
    let curves = await served()
    // Up to 2,048 rows are a bucket each; beyond, two rows.
    for (const [k, count] of [1, 602, 1442, 1, 1, 2].entries()) {
      writer.steps(count, (step) => (step % 7 === 0 ? { refused: 1, loss: Number.NaN } : {}))
      const last = writer.step
      await until(() => ends().at(-1)?.steps.lastStep === last)
      curves = extend(curves, ends().at(-1).steps)
      const known = structuredClone(curves)
      assert.equal(extend(curves, ends()[0].steps), known, 'what is known already changes nothing')
      const all = await served()
      // What the page had before stays finer than what the server keeps.
      const later = (view) => view.step.findIndex((step) => step > 2048)
      if (last <= 2048) assert.equal(curves, all, `round ${k}`)
      else {
        for (const name of Object.keys(all).filter((name) => Array.isArray(all[name]))) {
          assert.equal(curves[name].slice(later(curves)), all[name].slice(later(all)), `${name}, round ${k}`)
        }
        assert.equal([later(curves), later(all), curves.lastStep], [2048, 1024, last])
      }
    }
    assert.ok(writer.step === 2052)
    assert.ok(client.told.at(-1).length < 3000, 'events are short')
  } finally {
    events.close()
  }
})

telling('who does not read what he is told is dropped', async () => {
  const writer = new RunWriter(join(folder, 'unread'))
  const events = new Events(await RunFolder.open(folder))
  const [reader, sleeper] = [true, false].map((isReading) => new Listener(events, { isReading }))
  try {
    writer.steps(3)
    await until(() => reader.told.some((text) => text.includes('"unread"')))
    assert.equal([reader.isDropped, sleeper.isDropped, sleeper.told.length], [false, true, 1])
  } finally {
    events.close()
  }
})

telling('columns arrive as they were sent, to the digits that show', () => {
  const values = [0.1, -3.5e-7, 0, 1e30, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 24]
  const steps = [0, 1, 2 ** 24 + 1, 2 ** 32 - 1]
  const sent = { name: 'a', list: [{ column: Float64Array.from(values) }], steps: Uint32Array.from(steps) }
  const arrived = unpackAll(JSON.parse(toJson(packAll(sent))))
  assert.equal([arrived.name, arrived.steps], ['a', steps])
  for (const [i, value] of values.entries()) {
    const back = arrived.list[0].column[i]
    if (Number.isFinite(value)) assert.ok(Math.abs(back - value) <= 1e-7 * Math.abs(value), `${value}`)
    else assert.is(back, null)
  }
  assert.equal(unpackAll(JSON.parse(toJson(packAll({ none: new Float64Array(0), rows: [[1, 2]] })))), {
    none: [],
    rows: [[1, 2]],
  })
  const { list, steps: exact, ...rest } = unpackBytes(packBytes({ ...sent, text: 'é', rows: [[1, 2]] }).buffer)
  assert.equal(rest, { name: 'a', text: 'é', rows: [[1, 2]] })
  assert.equal([...exact], steps)
  const finite = values.map((value) => (Number.isFinite(value) ? Math.fround(value) : Number.NaN))
  assert.equal([...list[0].column].map(String), finite.map(String))
})

telling.run()
