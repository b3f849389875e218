// The page of a study in a real browser: what it shows of made-up trials, what a click does, and names that nobody honest gave.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createTrial, makeStudy, readStop, readTrial } from '../dist/study/index.js'
import { startServer } from '../dist/watch/server/index.js'
import { launch, openPage, overflow } from './support/browser.js'
import { pageModules } from './support/page-modules.js'
import { description, suggestion } from './support/studies.js'
import { until } from './support/until.js'
import { fillStudy } from './support/whole-study.js'
import { RunWriter } from './support/write-run.js'

const browser = await launch()
const page = suite('page: study')
const screenshots = fileURLToPath(new URL('../build/screenshots/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-page-study-'))
mkdirSync(screenshots, { recursive: true })
const stages = [
  { trials: 60, epochs: 1 },
  { trials: 30, epochs: 5 },
]
const { running, trial: pathOf } = await fillStudy(join(folder, 'mnist'), 90, { stages })
new RunWriter(join(folder, 'mnist', 'trials', '00003', 'run.1')).train(2, 10).end()
new RunWriter(join(folder, 'alone')).steps(10)
// Three trials, one of which has exploded.
const few = await fillStudy(join(folder, 'few'), 0)
const sick = await createTrial(join(folder, 'few'), 3, suggestion(), { worker: 'here.9', budget: 5 })
await sick.report(1, Number.NaN)
const end = { state: 'exploded', epoch: 1, value: null, reason: 'not finite', details: null }
await sick.finish(end, { sync: false })
const server = await startServer(folder, { control: true })
page.after(async () => {
  await browser.close()
  await server.close()
  for (const held of [running, few.running]) held.drop()
  rmSync(folder, { recursive: true })
})

const open = (hash, options) => openPage(browser, `${server.url}&${hash}`, options)
const rowsOf = (tab) => tab.locator('.trials tbody tr')
const texts = (tab, selector) => tab.locator(selector).allInnerTexts()
/** Whether something is drawn on each canvas: more than one colour. */
const areDrawn = (tab) =>
  tab.evaluate(() =>
    [...document.querySelectorAll('.drawing canvas')].every((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return new Set(new Uint32Array(data.buffer)).size > 2
    }),
  )

for (const [name, options] of [
  ['study', {}],
  ['study-dark', { colorScheme: 'dark' }],
  ['study-narrow', { width: 400, height: 800 }],
]) {
  page(`${name}: head, states, stages, pictures, importance and table`, async () => {
    const { page: tab, problems, close } = await open('study=mnist', options)
    await rowsOf(tab).first().waitFor()
    const head = await tab.locator('#bar').innerText()
    assert.match(head, /stage 2 of 2, 5 epochs · 93 of 119 trials · 1 worker · /)
    assert.match(head, /best validation accuracy, trial (\d+)\s+trial \1: learningRate /)
    assert.match(head, /learningRate [\d.e−]+, hidden \d+, dropout [\d.]+, optimizer (adam|nesterov), /)
    assert.match(
      await tab.locator('.state-counts').innerText(),
      /running 1\s+paused 2\s+complete 82\s+exploded 8\s+to come 26/,
    )
    assert.match((await texts(tab, '.study-line.is-warning')).join(), /^border: hidden 498/)
    assert.match((await texts(tab, '.study-line')).join(), /stage 2: learningRate/)
    const titles = [
      'Best so far',
      'Learning curves',
      'Parallel coordinates',
      'learningRate',
      'hidden',
      'dropout',
      'optimizer',
    ]
    for (const title of titles) assert.ok((await tab.locator('h2', { hasText: title }).count()) > 0, title)
    assert.is(await areDrawn(tab), true)
    assert.is((await texts(tab, '.importance dt'))[0], 'learningRate')
    await rowsOf(tab).nth(92).waitFor()
    assert.is(await rowsOf(tab).count(), 93)
    assert.is(await overflow(tab), 0)
    await tab.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
    assert.equal(problems, [])
    await close()
  })
}

page('the table has the best first, is sorted by a click, and shows one state alone', async () => {
  const { page: tab, problems, close } = await open('study=mnist')
  await rowsOf(tab).first().waitFor()
  const values = async () => (await texts(tab, '.trials tbody td:nth-child(3)')).map(Number)
  const best = (await values()).filter((value) => value > 0)
  assert.equal(
    best,
    best.toSorted((a, b) => b - a),
  )
  await tab.locator('.trials thead button', { hasText: 'hidden' }).click()
  await tab.locator('.trials [aria-sort=descending]').waitFor()
  const hidden = (await texts(tab, '.trials tbody td:nth-child(9)')).map(Number)
  assert.equal(
    hidden,
    hidden.toSorted((a, b) => b - a),
  )
  await tab.getByLabel('Show trials that are').selectOption('exploded')
  await tab.locator('h2', { hasText: '8 of 93 trials' }).waitFor()
  assert.equal([...new Set(await texts(tab, '.trials tbody td:nth-child(2)'))], ['exploded'])
  assert.equal(problems, [])
  await close()
})

page('of another width all pictures are drawn anew, those out of sight too', async () => {
  const { page: tab, problems, close } = await open('study=mnist')
  await rowsOf(tab).first().waitFor()
  await tab.evaluate(() => {
    for (const canvas of document.querySelectorAll('.drawing canvas')) canvas.before = canvas.width
  })
  await tab.setViewportSize({ width: 900, height: 300 })
  await tab.waitForFunction(() =>
    [...document.querySelectorAll('.drawing canvas')].every(
      (canvas) => canvas.width !== canvas.before && canvas.width === Math.round(canvas.clientWidth * devicePixelRatio),
    ),
  )
  assert.is(await areDrawn(tab), true)
  assert.equal(problems, [])
  await close()
})

page('a range drawn along an axis leaves the trials in it, and can be taken away', async () => {
  const { page: tab, problems, close } = await open('study=mnist')
  await rowsOf(tab).first().waitFor()
  const canvas = tab.locator('canvas.is-brushed')
  await canvas.scrollIntoViewIfNeeded()
  const box = await canvas.boundingBox()
  // The first axis, the learning rate: its upper half.
  const x = box.x + 46
  await tab.mouse.move(x, box.y + 20)
  await tab.mouse.down()
  await tab.mouse.move(x, box.y + 26 + (260 - 38) / 2)
  await tab.mouse.up()
  await tab.locator('h2', { hasText: /\d+ of 93 trials/ }).waitFor()
  const rates = (await texts(tab, '.trials tbody td:nth-child(8)')).map((text) => Number(text.replace('−', '-')))
  assert.ok(rates.length > 10 && rates.length < 80)
  for (const rate of rates) assert.ok(rate >= 0.0031, String(rate))
  await tab.getByRole('button', { name: 'All trials' }).click()
  await tab.locator('h2', { hasText: /^93 trials/ }).waitFor()
  assert.equal(problems, [])
  await close()
})

page('a point tells of its trial, and a click opens its own run', async () => {
  const { page: tab, problems, close } = await open('study=mnist')
  await rowsOf(tab).first().waitFor()
  const canvas = tab.locator('.drawing:has(h2:text-is("learningRate")) canvas')
  await canvas.scrollIntoViewIfNeeded()
  const box = await canvas.boundingBox()
  const caption = canvas.locator('xpath=following-sibling::p')
  // Somewhere along the lower end, where exploded ones lie.
  const y = box.y + box.height - 24
  let x = box.x + 58
  while (!/exploded/.test(await caption.innerText()) && x < box.x + box.width) {
    x += 6
    await tab.mouse.move(x, y)
  }
  assert.match(await caption.innerText(), /^trial \d+: exploded, stage \d, learningRate /)
  await tab.mouse.click(x, y)
  await tab.locator('#trial h2', { hasText: /^Trial \d+$/ }).waitFor()
  await tab.locator('.empty', { hasText: 'no run of its own' }).waitFor()
  assert.match(await tab.locator('#trial').innerText(), /exploded[\s\S]*the loss is not finite/)
  await tab.goBack()
  await rowsOf(tab).first().waitFor()
  await tab.evaluate(() => {
    location.hash = '#study=mnist&trial=3'
  })
  await tab.locator('.uplot').first().waitFor()
  await tab.locator('h1', { hasText: 'mnist · trial 3' }).waitFor()
  await tab.getByRole('tab', { name: 'Metrics' }).click()
  assert.match(tab.url(), /study=mnist&trial=3&view=epochs/)
  await tab.screenshot({ path: join(screenshots, 'study-trial.png'), fullPage: true })
  await tab.getByRole('link', { name: '← mnist' }).click()
  await rowsOf(tab).first().waitFor()
  assert.equal(problems, [])
  await close()
})

page('what happens meanwhile is shown, and a trial is stopped by a button', async () => {
  const { page: tab, problems, close } = await open('study=mnist')
  await rowsOf(tab).first().waitFor()
  await running.report(2, 0.42)
  await tab.locator('td', { hasText: '2 / 5' }).waitFor()
  const row = (number) => rowsOf(tab).filter({ has: tab.getByRole('link', { name: String(number), exact: true }) })
  await row(91).locator('td:nth-child(4)', { hasText: /^2$/ }).waitFor()
  assert.match(await row(91).innerText(), /^91\s+running\s+0.42\s/)
  const fresh = await createTrial(join(folder, 'mnist'), 93, suggestion(), { worker: 'here.7', budget: 5 })
  await fresh.report(1, 0.125)
  await row(93).locator('td', { hasText: 'here.7' }).waitFor()
  assert.match(await row(93).innerText(), /^93\s+running\s+0.125\s+1\s/)
  await fresh.finish({ state: 'stopped', epoch: 1, value: 0.125, reason: null, details: null }, { sync: false })
  await tab.locator('h2', { hasText: /^94 trials/ }).waitFor()
  await tab.getByRole('button', { name: 'Stop trial 91' }).click()
  await tab.getByLabel('Why').fill('<b>too slow</b>')
  await tab.getByRole('button', { name: 'Stop', exact: true }).click()
  await tab.locator('dialog').waitFor({ state: 'detached' })
  assert.is(readStop(pathOf(91)).why, '<b>too slow</b>')
  await tab.evaluate(() => {
    location.hash = '#study=mnist&trial=7'
  })
  await tab.getByRole('button', { name: 'Retry trial 7' }).click()
  await tab.getByRole('button', { name: 'Retry', exact: true }).click()
  await tab.locator('#trial dd', { hasText: 'paused' }).first().waitFor()
  await until(() => readTrial(7, pathOf(7)).state === 'paused')
  assert.equal(problems, [])
  await close()
})

page('a folder lists its studies, and one of three trials is shown', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('#studies a', { hasText: 'few' }).click()
  await rowsOf(tab).first().waitFor()
  assert.is(await rowsOf(tab).count(), 4)
  assert.match(await tab.locator('#panel').innerText(), /Importance needs 20 finished trials/)
  await tab.screenshot({ path: join(screenshots, 'study-few.png'), fullPage: true })
  assert.equal(problems, [])
  await close()
  const own = await startServer(join(folder, 'few'))
  const other = await openPage(browser, own.url)
  await rowsOf(other.page).first().waitFor()
  assert.is(await other.page.locator('button.action').count(), 0, 'without --control nothing can be stopped')
  assert.equal(other.problems, [])
  await other.close()
  await own.close()
})

page('hostile names are text', async () => {
  const tricky = '<img src=x onerror=alert(1)>'
  const hostile = {
    [tricky]: { kind: 'choice', values: [tricky, 'x'.repeat(1e5)] },
    constructor: { kind: 'uniform', low: 0, high: 1 },
  }
  const path = join(folder, tricky)
  await makeStudy(path, description({ metric: tricky, space: hostile }))
  const params = { [tricky]: tricky, constructor: 0.5 }
  for (const number of [0, 1]) {
    const held = await createTrial(path, number, suggestion({ params }), { worker: tricky, budget: 1 })
    await held.report(1, 0.5)
    if (number === 0)
      await held.finish({ state: 'failed', epoch: 1, value: null, reason: tricky, details: null }, { sync: false })
  }
  const { page: tab, problems, close } = await open(new URLSearchParams({ study: tricky }))
  await rowsOf(tab).first().waitFor()
  assert.is(await tab.locator('h1').innerText(), tricky)
  assert.is(await tab.locator('img').count(), 0)
  assert.is(await overflow(tab), 0)
  await rowsOf(tab).first().click()
  await tab.locator('#trial dd', { hasText: tricky }).first().waitFor()
  assert.is(await tab.locator('img').count(), 0)
  assert.equal(problems, [])
  await close()
})

page(
  'squares cover what they would if each were drawn, also where they lie on one another and out of the picture',
  async () => {
    const { drawSquares } = await pageModules('study/squares')
    const before = Object.fromEntries(
      ['ImageData', 'OffscreenCanvas', 'devicePixelRatio'].map((name) => [name, globalThis[name]]),
    )
    let image = null
    globalThis.devicePixelRatio = 2
    globalThis.ImageData = class {
      constructor(width, height) {
        this.data = new Uint8ClampedArray(4 * width * height)
      }
    }
    globalThis.OffscreenCanvas = class {
      getContext = () => ({ putImageData: (data) => (image = data) })
    }
    const [xs, ys] = [
      [3.1, 3.6, Number.NaN, 0, 9.9, 5],
      [2.2, 2.9, 4, 4.3, 0.2, Number.NaN],
    ]
    const squares = { rows: [0, 1, 2, 3, 4, 5], xs, ys, size: 1.5, colour: [0x80, 0x40, 0xc0], opacity: 0.4 }
    drawSquares({ drawImage: () => undefined }, 10, 5, squares)
    Object.assign(globalThis, before)
    // Each pixel is looked at in many places: how much of it a square covers.
    const fine = 20
    for (let line = 0; line < 10; line++) {
      for (let column = 0; column < 20; column++) {
        const seen = xs.reduce((seen, x, i) => {
          let inside = 0
          for (let k = 0; k < fine * fine; k++) {
            const [at, down] = [
              (column + ((k % fine) + 0.5) / fine) / 2,
              (line + (Math.floor(k / fine) + 0.5) / fine) / 2,
            ]
            if (Math.abs(at - x) < 0.75 && Math.abs(down - ys[i]) < 0.75) inside++
          }
          return seen * (1 - (0.4 * inside) / fine ** 2)
        }, 1)
        const [red, green, blue, opacity] = image.data.slice(4 * (20 * line + column))
        assert.ok(Math.abs(opacity - 255 * (1 - seen)) < 6, `${column}, ${line}: ${opacity}, not ${255 * (1 - seen)}`)
        if (opacity > 0) assert.equal([red, green, blue], [0x80, 0x40, 0xc0])
      }
    }
  },
)

page('the first of a list are those that a sorted one begins with', async () => {
  const { firstOf } = await pageModules('study/first-of')
  const mixed = Array.from({ length: 500 }, (_, i) => (i * 7919) % 500)
  const up = mixed.toSorted((a, b) => a - b)
  for (const list of [mixed, up, up.toReversed(), [], [3]])
    for (const most of [1, 7, 500, 600])
      assert.equal(
        firstOf(list, most, (a, b) => a - b),
        list.toSorted((a, b) => a - b).slice(0, most),
      )
})

page('values far off lie at the end of the scale, many decades on a logarithm', async () => {
  const { valueScale, parameterScale } = await pageModules('study/scale', 'format', 'ticks')
  const scale = valueScale([...Array.from({ length: 50 }, (_, i) => 0.9 + i / 1000), -1e9, Number.NaN])
  assert.ok(scale.low > 0 && scale.place(-1e9) === 0 && scale.place(0.9) > 0.1)
  const wide = valueScale([1e-6, 1e-3, 1, 10])
  assert.ok(Math.abs(wide.place(1e-3) - 0.43) < 0.02)
  const rate = parameterScale({ low: 1e-6, high: 1, isLog: true, choices: null }, [])
  assert.is(rate.place(1e-3), 0.5)
  assert.ok(Number.isNaN(rate.place(Number.NaN)))
})

page.run()
