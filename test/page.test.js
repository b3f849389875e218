// The live page in a real browser, on runs that are being written while it looks. Its pictures stay in build/screenshots.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adam, dense, flatten, monitor, relu, sequential, softmaxCrossEntropy } from '../dist/index.js'
import { makeReport } from '../dist/watch/report/report.js'
import { startServer } from '../dist/watch/server/index.js'
import { unpackAll } from '../dist/watch/server/packed.js'
import { filled, launch, openPage, overflow } from './support/browser.js'
import { numbers } from './support/reference.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

// Before any test: without a browser there is one sentence, where a hook of uvu would swallow it.
const browser = await launch()
const page = suite('page')
const screenshots = fileURLToPath(new URL('../build/screenshots/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-page-'))
const views = ['loss', 'epochs', 'updates', 'layers', 'histograms', 'predictions', 'run']
const tricky = '<img src=x onerror=alert(1)>'

new RunWriter(join(folder, 'baseline'), { seed: 3, started: '2026-01-01T10:00:00Z' }).train(12, 1000).end()
const wide = { seed: 5, speed: 2, started: '2026-01-01T11:00:00Z' }
new RunWriter(join(folder, 'wide'), wide).train(12, 1000).end('earlyStopping')
const writer = new RunWriter(join(folder, tricky), { seed: 9, speed: 0.6 }).train(17, 6000)
const server = await startServer(folder)
mkdirSync(screenshots, { recursive: true })
page.after(async () => {
  await browser.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

const stepOf = (tab) => tab.locator('.figures div:has(dt:text-is("Step")) dd').innerText()
const settled = (tab, view) => tab.locator(`#panel[aria-labelledby=tab-${view}]`).waitFor()

page('shows what a run under way has got', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('.uplot').first().waitFor()
  assert.is(await stepOf(tab), '102,000')
  assert.not.match(tab.url(), /token/)
  assert.is(await tab.evaluate(() => document.cookie), '')
  const curve = tab.getByRole('img', { name: 'Loss. training' })
  const before = await curve.getAttribute('aria-label')
  writer.steps(1000)
  await tab.waitForFunction(() => document.querySelector('.figures')?.textContent.includes('103,000'))
  while ((await curve.getAttribute('aria-label')) === before) await tab.waitForTimeout(20)
  assert.equal(problems, [])
  await close()
})

page('a finding appears while one looks, and a run that begins is listed', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('.uplot').first().waitFor()
  const sick = new RunWriter(join(folder, 'sick'), { epochs: 3 })
  sick.steps(50)
  await tab.locator('#runs .run-name', { hasText: 'sick' }).click()
  await tab.locator('h1', { hasText: 'sick' }).waitFor()
  sick.steps(200, () => ({ refused: 1, loss: Number.NaN }))
  sick.entry({ type: 'refusal', step: 51, layer: 'dense1', tensor: null })
  await tab.locator('.finding.is-severe').waitFor()
  await tab.locator('.finding.is-severe .link').first().click()
  await tab.locator('dialog h1 code', { hasText: 'nonFinite' }).waitFor()
  assert.ok((await tab.locator('dialog h2').count()) >= 2, 'rendered, not as it was written')
  await tab.keyboard.press('Escape')
  await tab.locator('dialog').waitFor({ state: 'detached' })
  sick.end('error', { error: 'Too many refused steps' })
  await tab.locator('#bar .status.is-failed').waitFor()
  await tab.screenshot({ path: join(screenshots, 'finding.png'), fullPage: true })
  assert.equal(problems, [])
  await close()
  rmSync(join(folder, 'sick'), { recursive: true })
})

/** Trains until it is stopped: 1200 examples whose classes can be learnt. */
function train(dir) {
  const [count, size] = [1200, 64]
  const x = Float32Array.from(numbers(count * size))
  const y = Int32Array.from({ length: count }, (_, i) => (x[i * size] > 0 ? 1 : x[i * size + 1] > 0 ? 2 : 0))
  const model = sequential({ input: [8, 8, 1], seed: 1 }, [flatten(), dense(64), relu(), dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
  const callbacks = [monitor({ histograms: 20, classNames: [tricky, 'left', 'right'] }), pause()]
  return model.fit({ x, y }, { epochs: 1e6, batchSize: 32, dir, validationSplit: 0.2, quiet: true, callbacks })
}

const pause = () => ({ onEpochEnd: () => new Promise((resolve) => setTimeout(resolve, 30)) })

page('a model in training is followed through all views', async () => {
  const training = train(join(folder, 'training'))
  try {
    const { page: tab, problems, close } = await openPage(browser, server.url)
    await tab.locator('#runs .run-name', { hasText: 'training' }).click()
    await tab.locator('h1', { hasText: 'training' }).waitFor()
    await tab.locator('#findings .finding').first().waitFor()
    for (const view of views) await followThrough(tab, view)
    training.stop('seen enough')
    await training.done
    await tab.locator('#bar .status.is-stopped', { hasText: 'seen enough' }).waitFor()
    assert.equal(problems, [])
    await close()
  } finally {
    training.stop('the test is over')
    await training.done
    rmSync(join(folder, 'training'), { recursive: true })
  }
})

/** A view that is open while the run goes on. */
async function followThrough(tab, view) {
  await tab.locator(`#tab-${view}`).click()
  await settled(tab, view)
  const before = await stepOf(tab)
  // Of its own figure: step 0 is a part of many a number.
  await until(async () => (await stepOf(tab)) !== before)
  await tab.screenshot({ path: join(screenshots, `${view}-training.png`), fullPage: true })
  if (view !== 'predictions') return
  const names = await tab.locator('.confusion th').allInnerTexts()
  assert.equal(names, [tricky, 'left', 'right', tricky, 'left', 'right'])
  assert.is(await tab.locator('img').count(), 0)
}

page('names are text, whatever stands in them', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('h1', { hasText: tricky }).waitFor()
  assert.is(await tab.locator('img').count(), 0)
  assert.is(await tab.locator('script').count(), 1)
  assert.equal(problems, [])
  await close()
})

page('runs are laid over each other; curves are zoomed, smoothed and logarithmic', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('.uplot').first().waitFor()
  await tab.getByLabel('Compare baseline').check()
  await tab.getByLabel('Compare wide').check()
  await tab.locator('.legend-label', { hasText: 'baseline' }).first().waitFor()
  await tab.getByLabel('log', { exact: true }).check()
  await tab.locator('input[type=range]').fill('0.9')
  await tab.waitForTimeout(300)
  await tab.screenshot({ path: join(screenshots, 'overlay.png') })
  const box = await tab.locator('.u-over').first().boundingBox()
  await tab.mouse.move(box.x + 20, box.y + 50)
  await tab.mouse.down()
  await tab.mouse.move(box.x + 120, box.y + 60, { steps: 4 })
  const detail = tab.waitForResponse(
    (response) => response.url().includes('/api/steps') && response.url().includes('from='),
  )
  await tab.mouse.up()
  const { step } = unpackAll(await (await detail).json())
  assert.ok(step.length > 100 && step.at(-1) < 30_000, 'the part is read in detail')
  await tab.locator('.reset', { hasText: 'show all' }).click()
  assert.equal(problems, [])
  await close()
})

page('everything can be reached by keyboard', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await tab.locator('.uplot').first().waitFor()
  await tab.locator('#tab-loss').focus()
  for (const view of [...views.slice(1), 'loss']) {
    await tab.keyboard.press('ArrowRight')
    await settled(tab, view)
    assert.is(await tab.evaluate(() => document.activeElement.id), `tab-${view}`)
  }
  await tab.locator('.plot').first().focus()
  await tab.keyboard.press('ArrowLeft')
  await tab.locator('.legend-at', { hasText: 'step' }).first().waitFor()
  await tab.keyboard.press('+')
  await tab.locator('.reset', { hasText: 'show all' }).waitFor()
  await tab.keyboard.press('Escape')
  await tab.locator('.reset').waitFor({ state: 'hidden' })
  assert.equal(problems, [])
  await close()
})

for (const [name, options] of [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { width: 400 }],
]) {
  page(`every view is drawn: ${name}`, async () => {
    const { page: tab, problems, close } = await openPage(browser, server.url, options)
    for (const view of views) {
      await tab.locator(`#tab-${view}`).click()
      await settled(tab, view)
      await filled(tab)
      assert.is(await overflow(tab), 0, `${view} is wider than the screen`)
      await tab.screenshot({ path: join(screenshots, `${view}-${name}.png`), fullPage: true })
    }
    assert.equal(problems, [])
    await close()
  })
}

page('empty views say what is missing', async () => {
  const one = join(folder, 'bare')
  new RunWriter(one, { histograms: null })
  const bare = await startServer(one)
  const { page: tab, problems, close } = await openPage(browser, bare.url)
  for (const [view, text] of Object.entries({
    loss: 'monitor()',
    epochs: 'No epoch',
    histograms: 'monitor({ histograms })',
    predictions: 'After each epoch',
  })) {
    await tab.locator(`#tab-${view}`).click()
    await tab.locator('#panel .empty:visible', { hasText: text }).waitFor()
  }
  await tab.screenshot({ path: join(screenshots, 'empty.png'), fullPage: true })
  assert.equal(problems, [])
  await close()
  await bare.close()
  rmSync(one, { recursive: true })
})

page('a report shows the same from one file', async () => {
  const file = join(folder, 'report.html')
  await writeFile(file, (await makeReport(join(folder, 'baseline'))).html)
  const { page: tab, problems, close } = await openPage(browser, pathToFileURL(file).href)
  for (const view of views) {
    await tab.locator(`#tab-${view}`).click()
    await settled(tab, view)
    await filled(tab)
  }
  await tab.locator('#tab-loss').click()
  await tab.locator('.uplot').first().waitFor()
  await tab.screenshot({ path: join(screenshots, 'report.png'), fullPage: true })
  assert.equal(problems, [])
  await close()
  rmSync(file)
})

page.run()
