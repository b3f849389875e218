// A run of a million steps: prints what it takes to diagnose it, to serve it and to open its page in Chromium, as JSON.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { adam, dataset, dense, monitor, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { randomUniform } from '../../dist/kernels.js'
import { openPage } from './page.js'

const steps = Number(process.argv[2] ?? 1_000_000)
const [batchSize, epochSteps] = [32, 5000]
const folder = mkdtempSync(join(tmpdir(), 'gradus-long-'))
const dir = join(folder, 'long')
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

async function train() {
  const examples = batchSize * epochSteps
  const x = { data: randomUniform(new Float32Array(examples * 32), { seed: 1, low: -1 }), shape: [examples, 32] }
  const y = Int32Array.from(
    { length: examples },
    (_, i) => (x.data[32 * i] > 0 ? 1 : 0) + (x.data[32 * i + 1] > 0 ? 2 : 0),
  )
  const model = sequential({ input: [32], seed: 1 }, [dense(64), relu(), dense(64), relu(), dense(8)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 1e-4 }), metrics: ['accuracy'] })
  const options = { epochs: steps / epochSteps, batchSize, quiet: true, dir, callbacks: [monitor()] }
  const begin = performance.now()
  await model.fit(dataset({ x, y }), options).done
  return (performance.now() - begin) / 1000
}

function diagnoseSeconds() {
  const begin = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [command, 'diagnose', dir], { encoding: 'utf8' })
  if (status > 1) throw new Error(stderr)
  return (performance.now() - begin) / 1000
}

async function openSeconds(url) {
  const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags })
  const page = await browser.newPage()
  const begin = performance.now()
  await page.goto(url)
  await page.waitForSelector('canvas')
  await page.waitForLoadState('networkidle')
  const seconds = (performance.now() - begin) / 1000
  const scrolled = await page.evaluate(async () => {
    const frames = []
    for (let i = 0, last = performance.now(); i < 60; i++) {
      window.scrollBy(0, 40)
      await new Promise(requestAnimationFrame)
      frames.push(performance.now() - last)
      last = performance.now()
    }
    return Math.max(...frames.slice(1))
  })
  await browser.close()
  return { seconds, longestFrame: scrolled }
}

const memoryOf = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

const trained = await train()
const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
const diagnosed = diagnoseSeconds()
const page = await openPage(folder)
const opened = await openSeconds(page.url)
console.log(
  JSON.stringify({ steps, trained, megabytes: bytes / 1e6, diagnosed, ...opened, serverMegabytes: memoryOf(page.pid) }),
)
await page.close()
rmSync(folder, { recursive: true })
