// What the page draws of a network for images, in a real browser: colour pictures that it takes for others, filters and
// feature maps. Its picture stays in build/screenshots.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { batchNorm, conv2d, dense, globalAveragePool, maxPool2d, monitor, relu, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { softmaxCrossEntropy } from '../dist/index.js'
import { startServer } from '../dist/watch/server/index.js'
import { launch, openPage, overflow } from './support/browser.js'
import { numbers } from './support/reference.js'

const browser = await launch()
const test = suite('page of images')
const screenshots = fileURLToPath(new URL('../build/screenshots/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-page-images-'))
mkdirSync(screenshots, { recursive: true })

/** Stripes of one of three directions in colours that say nothing, and some noise. */
function stripes(rows, side) {
  const noise = numbers(rows * side * side * 3, 7)
  const data = new Float32Array(rows * side * side * 3)
  const labels = Int32Array.from({ length: rows }, (_, row) => row % 3)
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / (side * side * 3))
    const [y, x, c] = [Math.floor(i / (side * 3)) % side, Math.floor(i / 3) % side, i % 3]
    const along = [x, y, x + y][labels[row]]
    const wave = Math.sin(along * 0.9 + row) * Math.cos(row * (c + 1))
    data[i] = Math.min(1, Math.max(0, 0.5 + 0.35 * wave + 0.3 * noise[i]))
  }
  return { x: data, y: labels }
}

const model = sequential({ input: [16, 16, 3], seed: 2 }, [
  ...[conv2d(12, 5, { padding: 'same', bias: false }), batchNorm(), relu(), maxPool2d(2)],
  ...[conv2d(24, 3, { padding: 'same', bias: false }), batchNorm(), relu(), maxPool2d(2)],
  ...[globalAveragePool(), dense(3)],
])
model.compile({
  loss: softmaxCrossEntropy(),
  optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
  metrics: ['accuracy'],
})
const options = { epochs: 2, batchSize: 16, quiet: true, dir: join(folder, 'stripes') }
await model.fit(stripes(180, 16), { ...options, callbacks: [monitor({ featureMaps: true })] }).done
const server = await startServer(folder)
test.after(async () => {
  await browser.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

/** Of each canvas the pixel in its middle, and how large it is drawn. */
const canvases = (tab, title) =>
  tab.evaluate((heading) => {
    const panel = [...document.querySelectorAll('#panel h2')].find((one) => one.textContent === heading)
    return [...(panel?.closest('section, article, .panel')?.querySelectorAll('canvas') ?? [])].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1)
      const { imageRendering } = getComputedStyle(canvas)
      return { size: [canvas.width, canvas.height], drawn: canvas.clientWidth, colour: [...data], imageRendering }
    })
  }, title)

test('filters, maps and colour pictures are drawn, large and without smoothing', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page: tab, problems, close } = await openPage(browser, server.url, { colorScheme })
    await tab.locator('#tab-predictions').click()
    await tab.locator('h2', { hasText: 'Feature maps' }).waitFor()
    const filters = await canvases(tab, 'First-layer filters')
    assert.is(filters.length, 12)
    for (const { size, drawn, imageRendering } of filters) {
      assert.equal([size, imageRendering], [[5, 5], 'pixelated'])
      assert.ok(drawn >= 50, `${drawn}`)
    }
    assert.ok(filters.some(({ colour: [red, green, blue] }) => red !== green || green !== blue))
    const maps = await canvases(tab, 'Feature maps')
    assert.equal(
      maps.map(({ size: [side] }) => side),
      [16, ...Array(12).fill(16), ...Array(16).fill(8)],
    )
    const mistakes = await canvases(tab, 'Misclassified')
    assert.ok(mistakes.length > 0)
    assert.ok(mistakes.some(({ colour: [red, green] }) => red !== green))
    await tab.screenshot({ path: join(screenshots, `images-${colorScheme}.png`), fullPage: true })
    assert.equal(problems, [])
    assert.is(await overflow(tab), 0)
    await close()
  }
  const { page: narrow, close } = await openPage(browser, server.url, { width: 390, height: 800 })
  await narrow.locator('#tab-predictions').click()
  await narrow.locator('h2', { hasText: 'Feature maps' }).waitFor()
  assert.is(await overflow(narrow), 0)
  await narrow.screenshot({ path: join(screenshots, 'images-narrow.png'), fullPage: true })
  await close()
})

test.run()
