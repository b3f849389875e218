// The list of runs in a real browser: sorted, filtered, compared, noted on, deleted; and what a link to it brings back.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeReport } from '../dist/watch/report/report.js'
import { startServer } from '../dist/watch/server/index.js'
import { launch, openPage, overflow } from './support/browser.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const page = suite('page: runs')
const screenshots = fileURLToPath(new URL('../build/screenshots/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-page-runs-'))
mkdirSync(screenshots, { recursive: true })
let browser, server

/** Changes what stands in run.json. */
function describe(writer, change) {
  change(writer.info)
  writeFileSync(join(writer.directory, 'run.json'), JSON.stringify(writer.info))
  return writer
}

const begun = (hour) => `2026-01-01T${hour}:00:00Z`
const small = describe(new RunWriter(join(folder, 'small'), { seed: 3, started: begun('08') }), (info) => {
  info.options.learningRate = 0.01
  info.options.momentum = 0.8
})
small.train(12, 200).end()
const wide = new RunWriter(join(folder, 'wide'), { seed: 5, speed: 3, started: begun('09') }).train(12, 200)
wide.end()
const boom = new RunWriter(join(folder, 'boom'), { seed: 7, started: begun('10') })
boom.steps(2400, (step) => (step > 800 ? { loss: Math.min(1e27, 10 ** ((step - 800) / 40)) } : {}))
boom.finishEpoch({ loss: 1e26, valLoss: 1e27, valAccuracy: 0.1 })
boom.end('error', { error: 'Too many refused steps' })
const counted = [
  [90, 10],
  [20, 80],
]
const full = new RunWriter(join(folder, 'counted'), { seed: 9, started: begun('07') }).train(1, 100)
full.finishEpoch({ valConfusionMatrix: counted })
full.end()
for (let i = 0; i < 30; i++) {
  const writer = new RunWriter(join(folder, `zz-${i}`), {
    seed: i + 1,
    started: `2025-12-01T00:00:${String(i).padStart(2, '0')}Z`,
  })
  writer.steps(60)
  writer.finishEpoch()
  writer.end()
}

page.before(async () => {
  browser = await launch()
  server = await startServer(folder, { control: true })
})
page.after(async () => {
  await browser?.close()
  await server?.close()
  rmSync(folder, { recursive: true })
})

const addressOf = (hash) => `${server.url}&${hash}`
const rowsOf = (tab) => tab.locator('.runs tbody .run-name').allInnerTexts()
const cellsOf = (tab, name) => tab.locator(`.runs tr:has(.run-name:text-is("${name}")) td`).allInnerTexts()
const drawn = (tab) => tab.locator('.uplot').first().waitFor()
const colourOf = (tab, label) =>
  tab.evaluate((name) => {
    const entries = [...document.querySelectorAll('#panel .panel:first-of-type .legend button')]
    const found = entries.find((entry) => entry.querySelector('.legend-label').textContent === name)
    return found?.querySelector('.swatch').style.getPropertyValue('--swatch') ?? null
  }, label)

page('a table tells how good each run was, how it went and what it was started with', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await drawn(tab)
  assert.equal((await rowsOf(tab)).slice(0, 4), ['boom', 'wide', 'small', 'counted'], 'the latest first')
  const heads = await tab.locator('.runs thead th button').allInnerTexts()
  assert.equal(heads, [
    'run',
    'best validation accuracy',
    'loss',
    'learning rate',
    'batch size',
    'optimizer',
    'epochs',
    'time',
  ])
  const [, best, , rate, batch, optimizer, epochs, time] = await cellsOf(tab, 'small')
  assert.match(best, /^0\.\d{4}$/)
  assert.equal([rate, batch, optimizer, epochs, time], ['0.01', '128', 'adam', '12 / 30', '9.6 s'])
  assert.equal(await cellsOf(tab, 'boom').then((cells) => cells[2]), '1.00e27')
  const verdict = (name) => tab.locator(`.runs tr:has(.run-name:text-is("${name}")) .verdict`)
  assert.is(await verdict('boom').getAttribute('aria-label'), 'severe')
  assert.is(await verdict('small').getAttribute('aria-label'), 'healthy')
  assert.match(await verdict('boom').getAttribute('title'), /explodes/)
  assert.is(await overflow(tab), 0)
  await tab.screenshot({ path: join(screenshots, 'runs.png') })
  assert.equal(problems, [])
  await close()
})

page('a click on a head sorts, words filter, and both are in the address', async () => {
  const { page: tab, problems, close } = await openPage(browser, server.url)
  await drawn(tab)
  const head = tab.locator('.runs thead button', { hasText: 'best validation' })
  await head.click()
  await tab.locator('.runs [aria-sort=descending]').waitFor()
  assert.is((await rowsOf(tab))[0], 'wide')
  await head.click()
  await tab.locator('.runs [aria-sort=ascending]').waitFor()
  assert.is((await rowsOf(tab))[0], 'boom')
  await tab.getByLabel('Filter the runs').fill('learning rate 0.01')
  await tab.locator('h2', { hasText: '1 of 34 runs' }).waitFor()
  assert.equal(await rowsOf(tab), ['small'])
  assert.match(tab.url(), /sort=best&filter=learning/)
  await tab.reload()
  await tab.locator('h2', { hasText: '1 of 34 runs' }).waitFor()
  await tab.locator('.runs [aria-sort=ascending]').waitFor()
  assert.equal(problems, [])
  await close()
})

page('compared runs keep their colours, show what differs, and come back with the address', async () => {
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=wide'))
  await drawn(tab)
  const alone = await colourOf(tab, 'training')
  await tab.getByLabel('Compare small').check()
  await tab.locator('.legend-label', { hasText: 'small training' }).waitFor()
  const small = await colourOf(tab, 'small training')
  assert.is(await colourOf(tab, 'wide training'), alone)
  assert.is.not(small, alone)
  const heads = await tab.locator('.runs thead th button').allInnerTexts()
  assert.equal(heads.slice(-1), ['momentum'])
  await tab.getByLabel('Compare counted').check()
  await tab.locator('.legend-label', { hasText: 'counted training' }).waitFor()
  assert.is(await colourOf(tab, 'small training'), small, 'another one changes nothing')
  await tab.locator('.run-name', { hasText: 'small' }).click()
  await tab.locator('h1', { hasText: 'small' }).waitFor()
  await tab.locator('.legend-label', { hasText: 'wide training' }).waitFor()
  assert.equal([await colourOf(tab, 'small training'), await colourOf(tab, 'wide training')], [small, alone])
  await tab.reload()
  await tab.locator('.legend-label', { hasText: 'wide training' }).waitFor()
  assert.equal([await colourOf(tab, 'small training'), await colourOf(tab, 'wide training')], [small, alone])
  assert.is(await tab.getByLabel('Compare counted').isChecked(), true)
  assert.equal(problems, [])
  await close()
})

page('a part of the axis, the axis itself and the scale come back with the address', async () => {
  const {
    page: tab,
    problems,
    close,
  } = await openPage(browser, addressOf('run=wide&from=400&to=800&log=1&smoothing=0.5'))
  await tab.locator('.reset', { hasText: 'step 400 to 800 · show all' }).waitFor()
  assert.is(await tab.getByLabel('log', { exact: true }).isChecked(), true)
  assert.is(await tab.locator('input[type=range]').inputValue(), '0.5')
  assert.not.match(tab.url(), /token/)
  await tab.locator('#axis select').selectOption('epoch')
  await tab.locator('.reset').waitFor({ state: 'hidden' })
  const plot = tab.locator('.plot').first()
  const at = tab.locator('.legend-at').first()
  await plot.focus()
  await tab.keyboard.press('ArrowLeft')
  await at.filter({ hasText: /^epoch 11\.9\d*$/ }).waitFor()
  await tab.keyboard.press('+')
  await tab.locator('.reset', { hasText: /^epoch [\d.]+ to [\d.]+ · show all$/ }).waitFor()
  await tab.reload()
  await tab.locator('.reset', { hasText: /^epoch [\d.]+ to [\d.]+ · show all$/ }).waitFor()
  await tab.locator('#axis select').selectOption('time')
  // The chart is drawn anew, and with it goes the cursor of a key that came before.
  await until(async () => {
    await plot.focus()
    await tab.keyboard.press('ArrowLeft')
    return /^after \d+(\.\d+)? s$/.test((await at.innerText()).trim())
  })
  for (const view of ['epochs', 'updates', 'layers', 'run']) {
    await tab.locator(`#tab-${view}`).click()
    await tab.locator(`#panel[aria-labelledby=tab-${view}]`).waitFor()
  }
  assert.equal(problems, [])
  await close()
})

page('a run that explodes is drawn by its logarithm; beside a sound one it is cut', async () => {
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=boom'))
  await drawn(tab)
  const log = tab.getByLabel('log', { exact: true })
  assert.is(await log.isChecked(), true)
  await tab.screenshot({ path: join(screenshots, 'exploded.png') })
  await tab.getByLabel('Compare wide').check()
  const cut = tab.locator('.cut')
  await cut.filter({ hasText: /^Cut at \d\.\d+: boom goes up to 1\.00e27\./ }).waitFor()
  assert.is(await log.isChecked(), false)
  await tab.screenshot({ path: join(screenshots, 'cut.png') })
  await log.check()
  await cut.waitFor({ state: 'hidden' })
  assert.match(tab.url(), /log=1/)
  assert.equal(problems, [])
  await close()
})

page('the head tells the best metric, and how long a run under way will take', async () => {
  const going = new RunWriter(join(folder, 'going'), { started: begun('11') }).train(10, 100)
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=going'))
  await drawn(tab)
  const figure = (name) => tab.locator(`.figures div:has(dt:text-is("${name}"))`)
  // 1,000 of 3,000 steps in 4 s.
  assert.is(await figure('Time left').locator('dd').innerText(), '8 s')
  assert.match(await tab.locator('.hero').innerText(), /^0\.\d+\s*best validation accuracy, epoch 10$/)
  assert.is(await tab.locator('#bar .status').innerText(), 'running')
  assert.is(await tab.locator('#bar .connection').innerText(), '')
  const before = await figure('Validation loss').locator('dd').innerText()
  going.steps(400)
  going.finishEpoch()
  await figure('Validation loss').locator('dd', { hasNotText: before }).waitFor()
  const told = await figure('Validation loss').locator('dd').innerText()
  assert.ok((await tab.locator('.finding').innerText()).includes(`validation loss ${told} `), 'findings say the same')
  going.end()
  await tab.locator('#bar .status', { hasText: /^finished$/ }).waitFor()
  assert.is(await figure('Time left').isVisible(), false)
  assert.equal(problems, [])
  await close()
  rmSync(going.directory, { recursive: true })
})

page('what does not change is told in a line, and what is well too', async () => {
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=wide'))
  await drawn(tab)
  assert.is(await tab.locator('.constants').innerText(), 'Constant: momentum 0.9')
  assert.is(await tab.locator('.panel h2:visible', { hasText: 'Momentum' }).count(), 0)
  const healthy = tab.locator('.finding')
  assert.is(await healthy.count(), 1)
  assert.match(await healthy.innerText(), /^Healthy · the loss went from/)
  assert.ok((await healthy.boundingBox()).height < 26, 'one line')
  await tab.locator('#tab-layers').click()
  await tab.locator('#panel .note:visible', { hasText: 'None so far: values that are not finite.' }).waitFor()
  assert.equal(problems, [])
  await close()
})

page('the confusion matrix of all rows stands beside that of another run', async () => {
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=counted&with=wide&view=predictions'))
  const panels = tab.locator('.panel:has(.confusion)')
  await panels.nth(1).waitFor()
  assert.is(await panels.count(), 2)
  const heads = await panels.locator('h2').allInnerTexts()
  assert.equal(heads, ['Confusion matrix: counted', 'Confusion matrix: wide'])
  const [all, some] = await panels.locator('.note').allInnerTexts()
  assert.match(all, /^Epoch 2, all validation rows: 170 of 200 right, accuracy 85 %/)
  assert.match(some, /^Epoch 12, a sample of the rows/)
  assert.is(
    await panels.nth(0).locator('td.wrong').first().getAttribute('title'),
    'true 0, predicted 1: 10 (10 % of the class)',
  )
  assert.equal(problems, [])
  await close()
})

page('a chart is taken along as numbers and as a picture', async () => {
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=wide&axis=epoch'))
  await drawn(tab)
  const get = async (kind) => {
    const [download] = await Promise.all([
      tab.waitForEvent('download'),
      tab.getByRole('button', { name: `Loss as ${kind}`, exact: true }).click(),
    ])
    const file = join(folder, 'downloaded')
    await download.saveAs(file)
    const bytes = readFileSync(file)
    rmSync(file)
    return { name: download.suggestedFilename(), bytes }
  }
  const csv = await get('CSV')
  assert.is(csv.name, 'loss.csv')
  const [head, ...rows] = csv.bytes.toString('utf8').split('\r\n')
  assert.is(head, 'epoch,training,validation')
  const last = rows.at(-2).split(',')
  assert.is(last[0], '12')
  assert.ok(Number(last[2]) > 0.02 && Number(last[2]) < 1, last)
  const png = await get('PNG')
  assert.is(png.name, 'loss.png')
  assert.is(png.bytes.subarray(1, 4).toString(), 'PNG')
  assert.ok(png.bytes.readUInt32BE(16) > 600, 'as wide as the chart')
  assert.equal(problems, [])
  await close()
})

page('notes and tags are kept, and a run is deleted when it was asked for twice', async () => {
  const doomed = join(folder, 'doomed')
  new RunWriter(doomed, { started: begun('12') }).train(1, 60).end()
  const { page: tab, problems, close } = await openPage(browser, addressOf('run=doomed&view=run'))
  await tab.getByLabel('Notes').fill('<b>wider</b> layer')
  await tab.getByLabel('Tags').fill('baseline, to repeat')
  await tab.getByRole('button', { name: 'Save' }).click()
  await tab.locator('.runs .tag', { hasText: 'to repeat' }).waitFor()
  await tab.locator('.runs .remark', { hasText: '<b>wider</b> layer' }).waitFor()
  assert.equal(JSON.parse(readFileSync(join(doomed, 'notes.json'), 'utf8')).tags, ['baseline', 'to repeat'])
  await tab.getByRole('button', { name: 'Delete this run' }).click()
  await tab.getByRole('button', { name: 'Keep it' }).click()
  assert.ok(existsSync(doomed))
  await tab.getByRole('button', { name: 'Delete this run' }).click()
  await tab.locator('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await tab.locator('h1', { hasText: 'boom' }).waitFor()
  assert.not.ok(existsSync(doomed))
  assert.not.ok((await rowsOf(tab)).includes('doomed'))
  // What was asked for just before is no longer found.
  const others = problems.filter((problem) => !problem.includes('404'))
  assert.equal(others, [])
  await close()
})

page('without --control notes are shown, not asked for; in a report too', async () => {
  writeFileSync(join(folder, 'wide', 'notes.json'), JSON.stringify({ text: 'first try', tags: ['x'] }))
  const plain = await startServer(folder)
  const file = join(folder, 'report.html')
  writeFileSync(file, (await makeReport(join(folder, 'wide'))).html)
  for (const url of [`${plain.url}&run=wide&view=run`, `${pathToFileURL(file).href}#view=run`]) {
    const { page: tab, problems, close } = await openPage(browser, url)
    await tab.locator('.written', { hasText: 'first try' }).waitFor()
    assert.is(await tab.getByRole('button', { name: /Save|Delete/ }).count(), 0)
    assert.equal(problems, [])
    await close()
  }
  await plain.close()
  rmSync(file)
  rmSync(join(folder, 'wide', 'notes.json'))
})

page('a link without the token asks for it, and takes the printed address as well', async () => {
  const { origin, hash } = new URL(server.url)
  const { page: tab, problems, close } = await openPage(browser, `${origin}/#run=wide`)
  await tab.locator('.token').waitFor()
  await tab.getByLabel('token').fill(`${origin}/${hash}`)
  await tab.getByRole('button', { name: 'Show the runs' }).click()
  await drawn(tab)
  assert.is(await tab.locator('h1').innerText(), 'wide')
  // Another server may have taken the port since.
  await tab.evaluate(() => sessionStorage.setItem('gradus-token', 'of-another-server'))
  await tab.reload()
  await tab.locator('.token').waitFor()
  assert.is(problems.filter((problem) => !problem.includes('401')).length, 0, problems.join())
  await close()
})

for (const [name, options] of [
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { width: 400 }],
]) {
  page(`the list and its details fit: ${name}`, async () => {
    const { page: tab, problems, close } = await openPage(browser, addressOf('run=wide&with=small&view=run'), options)
    await tab.getByLabel('Notes').waitFor()
    for (const view of ['run', 'loss']) {
      await tab.locator(`#tab-${view}`).click()
      await tab.locator(`#panel[aria-labelledby=tab-${view}]`).waitFor()
      assert.is(await overflow(tab), 0, view)
      await tab.screenshot({ path: join(screenshots, `runs-${view}-${name}.png`), fullPage: true })
    }
    assert.equal(problems, [])
    await close()
  })
}

page.run()
