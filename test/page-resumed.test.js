// Runs that went on, as the server tells of them and as a real browser shows them: made by processes that were killed.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkpoints } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openRun } from '../dist/watch/recording/index.js'
import { makeReport } from '../dist/watch/report/report.js'
import { startServer } from '../dist/watch/server/index.js'
import { launch, openPage, overflow } from './support/browser.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const test = suite('page: runs that went on')
const program = fileURLToPath(new URL('support/resumable.js', import.meta.url))
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const screenshots = fileURLToPath(new URL('../build/screenshots/', import.meta.url))
mkdirSync(screenshots, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'gradus-page-resumed-'))
const runs = join(folder, 'runs')
const run = join(runs, 'resumed')

const { KILL_IN: _, GRADUS_RESUME: __, ...env } = process.env
function train(options, killIn) {
  const words = [program, JSON.stringify({ dir: run, resume: true, ...options })]
  const more = killIn ? { KILL_IN: String(killIn) } : {}
  const { status, signal, stderr } = spawnSync(process.execPath, words, { env: { ...env, ...more }, encoding: 'utf8' })
  if (killIn) assert.is(signal, 'SIGKILL', stderr)
  else assert.is(status, 0, stderr)
}
for (const killIn of [3, 6, 0]) train({ epochs: 8 }, killIn)
const begins = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ type }) => type === 'begin')
  .map(({ step }) => step)

let browser, server
test.before(async () => {
  browser = await launch()
  server = await startServer(runs)
})
test.after(async () => {
  await browser?.close()
  await server?.close()
  rmSync(folder, { recursive: true })
})

async function ask(path) {
  const token = server.url.split('#token=')[1]
  const response = await fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${token}` } })
  assert.is(response.status, 200, path)
  return response.json()
}

test('how often it went on is told, and no word of its command', async () => {
  assert.is(begins.length, 3)
  const { runs: list } = await ask('/api/runs')
  assert.is(list.find(({ name }) => name === 'resumed').wentOn, 2)
  assert.is(list.find(({ name }) => name === 'resumed').status, 'finished')
  const { info } = await ask('/api/run?run=resumed')
  assert.is(info.command, undefined)
})

test('checkpoints are told of by their headers', async () => {
  const told = await ask('/api/checkpoints?run=resumed')
  const found = await checkpoints(run)
  assert.equal(
    told.map(({ name, epoch, step, score, size }) => ({ name, epoch, step, score, size })),
    found.map(({ path, epoch, step, score, size }) => ({ name: basename(path), epoch, step, score, size })),
  )
  const best = found.reduce((best, one) => (one.score > best.score ? one : best))
  assert.equal(
    told.map(({ isNewest, isBest }) => [isNewest, isBest]),
    found.map((one, i) => [i === found.length - 1, one === best]),
  )
})

test('no link leads out of the run, and what is none is told so', async () => {
  const names = ['linked', 'led'].map((name) => join(runs, name))
  for (const path of names) {
    mkdirSync(path)
    writeFileSync(join(path, 'run.json'), readFileSync(join(run, 'run.json')))
  }
  const [linked, led] = names
  mkdirSync(join(linked, 'checkpoints'))
  const outside = join(folder, 'outside.safetensors')
  const [first] = readdirSync(join(run, 'checkpoints'))
  writeFileSync(outside, readFileSync(join(run, 'checkpoints', first)))
  symlinkSync(outside, join(linked, 'checkpoints', 'link.safetensors'))
  writeFileSync(join(linked, 'checkpoints', 'none.safetensors'), 'none')
  // Its header is no longer than a model's may be, and longer than whoever only looks should have to read.
  const long = Buffer.alloc(5_000_008, ' ')
  long.writeBigUInt64LE(5_000_000n)
  long.write('{"__metadata__":{}}', 8)
  writeFileSync(join(linked, 'checkpoints', 'long.safetensors'), long)
  symlinkSync(join(run, 'checkpoints'), join(led, 'checkpoints'))
  await until(async () => (await ask('/api/runs')).runs.length === 3)
  const told = await ask('/api/checkpoints?run=linked')
  assert.equal(told.map(({ name, epoch }) => [name, epoch]).sort(), [
    ['link.safetensors', null],
    ['long.safetensors', null],
    ['none.safetensors', null],
  ])
  for (const { problem } of told) assert.not.match(problem, /gradus-page-resumed/, 'its path is nobody’s business')
  assert.match(told.find(({ name }) => name.startsWith('long')).problem, /at most 4 MB/)
  assert.equal(await ask('/api/checkpoints?run=led'), [])
  for (const path of names) rmSync(path, { recursive: true })
})

/** Of the first chart, the share of each column of pixels that has this colour, and where steps lie. */
const drawnIn = (tab) =>
  tab.evaluate(() => {
    const plot = document.querySelector('#panel .uplot')
    const canvas = plot.querySelector('canvas')
    const [over, whole] = [plot.querySelector('.u-over'), canvas].map((one) => one.getBoundingClientRect())
    const probe = document.createElement('canvas').getContext('2d')
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--muted')
    probe.fillRect(0, 0, 1, 1)
    const wanted = probe.getImageData(0, 0, 1, 1).data
    const ratio = canvas.width / whole.width
    const [left, top] = [Math.round((over.left - whole.left) * ratio), Math.round((over.top - whole.top) * ratio)]
    const [width, height] = [Math.round(over.width * ratio), Math.round(over.height * ratio)]
    const { data } = canvas.getContext('2d').getImageData(left, top, width, height)
    const near = (x, y) => [0, 1, 2].every((i) => Math.abs(data[4 * (y * width + x) + i] - wanted[i]) < 12)
    return Array.from({ length: width }, (_, x) => {
      let count = 0
      for (let y = 0; y < height; y++) count += near(x, y)
      return count / height
    })
  })

/** Columns with a dashed line through them, as shares of the width. */
const marksIn = (shares) => shares.flatMap((share, x) => (share > 0.25 ? [x / (shares.length - 1)] : []))

function isAt(marks, places, width) {
  assert.is(marks.length, places.length, `${marks} for ${places}`)
  for (const [i, place] of places.entries()) {
    assert.ok(Math.abs(marks[i] - place) < 2.5 / width, `${marks[i]} should be ${place}`)
  }
}

test('thin lines in the curves say where, and the bar how often', async () => {
  const { page: tab, problems, close } = await openPage(browser, `${server.url}&run=resumed`)
  await tab.locator('.uplot').first().waitFor()
  assert.is(await tab.locator('.went-on').innerText(), 'went on 2 ×')
  // Steps are counted from 0.
  const places = begins.slice(1).map((step) => step / (8 * 15))
  await tab.screenshot({ path: join(screenshots, 'resumed.png') })
  const shares = await drawnIn(tab)
  isAt(marksIn(shares), places, shares.length)

  await tab.getByLabel('over').selectOption('epoch')
  await tab.waitForFunction(() => document.querySelector('#panel .uplot') !== null)
  const byEpoch = await drawnIn(tab)
  isAt(marksIn(byEpoch), places, byEpoch.length)

  await tab.getByRole('tab', { name: 'Metrics' }).click()
  await tab.locator('#panel .uplot').first().waitFor()
  const metrics = await drawnIn(tab)
  isAt(
    marksIn(metrics),
    begins.slice(1).map((step) => (step / 15 - 1) / 7),
    metrics.length,
  )
  assert.equal(problems, [])
  await close()
})

test('the checkpoints stand under Run & system, on any screen', async () => {
  const found = await checkpoints(run)
  for (const [name, width, colorScheme] of [
    ['light', 1280, 'light'],
    ['dark', 1280, 'dark'],
    ['narrow', 400, 'light'],
  ]) {
    const address = `${server.url}&run=resumed&view=run`
    const { page: tab, problems, close } = await openPage(browser, address, { width, colorScheme })
    const rows = tab.locator('.checkpoints tbody tr')
    await rows.first().waitFor()
    const texts = await rows.allInnerTexts()
    assert.is(texts.length, found.length)
    for (const [i, { path, epoch, step }] of found.toReversed().entries()) {
      assert.ok(texts[i].startsWith(basename(path)), texts[i])
      assert.match(texts[i], new RegExp(`\\t${epoch}\\t${step}\\tvalidation accuracy \\S+\\t[\\d.]+ KiB$`))
    }
    assert.match(texts[0], /newest/)
    assert.is(texts.filter((text) => text.includes('best')).length, 1)
    assert.is(await overflow(tab), 0)
    await tab.locator('.checkpoints').scrollIntoViewIfNeeded()
    await tab.screenshot({ path: join(screenshots, `checkpoints-${name}.png`), fullPage: true })
    assert.equal(problems, [])
    await close()
  }
})

test('a report has them too', async () => {
  const { html } = await makeReport(run)
  assert.not.ok(html.includes(program), 'but not the command')
  const file = join(folder, 'report.html')
  writeFileSync(file, html)
  const { page: tab, problems, close } = await openPage(browser, `${pathToFileURL(file)}#view=run`)
  await tab.locator('.checkpoints tbody tr').first().waitFor()
  assert.is(await tab.locator('.checkpoints tbody tr').count(), (await checkpoints(run)).length)
  assert.is(await tab.locator('.went-on').innerText(), 'went on 2 ×')
  assert.equal(problems, [])
  await close()
})

test('the time between its processes is none of the run', async () => {
  const dir = join(runs, 'paused')
  const writer = new RunWriter(dir, { started: '2026-01-01T00:00:00.000Z' })
  const begin = Date.parse('2026-01-01T00:00:00.000Z')
  const system = (time) => writer.entry({ type: 'system', step: 9, time, samplesPerSecond: 1, memory: 1 })
  const entries = [() => system(begin + 10_000)]
  // The second process is killed before it is heard of.
  for (const time of [500_000, 900_000])
    entries.push(() => writer.entry({ type: 'begin', step: 9, time: begin + time }))
  entries.push(() => system(begin + 905_000))
  const expected = [10, 10, 10, 15]
  for (const [i, write] of entries.entries()) {
    write()
    const reader = await openRun(dir)
    assert.is(reader.standing.seconds, expected[i], `after ${i + 1} entries`)
  }
  await until(async () =>
    (await ask('/api/runs')).runs.some(({ name, seconds }) => name === 'paused' && seconds === 15),
  )
})

test('a run that goes on is running, with its new number of epochs', async () => {
  const again = join(runs, 'again')
  train({ dir: again, epochs: 4 }, 3)
  const listed = async () => (await ask('/api/runs')).runs.find(({ name }) => name === 'again')
  await until(async () => (await listed()) !== undefined)
  const before = await listed()
  assert.is(before.status, 'silent')
  assert.is(before.epochs, 4)
  const journal = join(again, 'metrics.jsonl')
  const words = [program, JSON.stringify({ dir: again, resume: 'must', epochs: 1_000_000 })]
  const child = spawn(process.execPath, words, { env, stdio: 'ignore' })
  try {
    const going = () =>
      /"epoch":9,/.test(readFileSync(journal, 'utf8')) && /"type":"system"/.test(readFileSync(journal, 'utf8'))
    await until(() => going() || child.exitCode !== null)
    const diagnosed = spawnSync(process.execPath, [command, 'diagnose', again], { env, encoding: 'utf8' })
    assert.ok(diagnosed.status < 2, diagnosed.stderr)
    const another = await startServer(again)
    try {
      const token = another.url.split('#token=')[1]
      const response = await fetch(new URL('/api/runs', another.url), { headers: { authorization: `Bearer ${token}` } })
      const [{ status, epochs, wentOn }] = (await response.json()).runs
      assert.is(status, 'running')
      assert.is(epochs, 1_000_000)
      assert.is(wentOn, 1)
    } finally {
      await another.close()
    }
  } finally {
    child.kill('SIGKILL')
  }
})

test.run()
