// The page of a study in headless Chromium: how long until it shows the trials, how long it draws, and how smooth it is in use.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })

/** Notes when the first row of the table is on the screen, and every piece of work of over 50 ms. */
function watchPage() {
  const seen = { opened: 0, progress: 0, tasks: [] }
  window.seen = seen
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.tasks.push([startTime, duration])
  }).observe({ type: 'longtask', buffered: true })
  const painted = (then) => requestAnimationFrame(() => setTimeout(then))
  const look = () => {
    if (seen.progress === 0 && document.querySelector('progress')) painted(() => (seen.progress ||= performance.now()))
    if (!document.querySelector('.trials tbody tr')) return
    observer.disconnect()
    painted(() => (seen.opened = performance.now()))
  }
  const observer = new MutationObserver(look)
  observer.observe(document, { childList: true, subtree: true })
}

/** Served by `gradus watch` in a process that has just begun, which has read nothing before. */
export async function openOnce(browser, folder) {
  const from = performance.now()
  const server = spawn(process.execPath, [command, 'watch', folder, '--open', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
    const { page, ...times } = await openAt(browser, line.trim())
    const sinceCommand = performance.now() - from
    const used = await inUse(page)
    await page.close()
    return { ...times, ...used, sinceCommand, longestDraw: Math.max(times.longestDraw, used.longestDraw) }
  } finally {
    server.kill()
    await once(server, 'exit')
  }
}

/** Milliseconds from the navigation on, and the page. */
export async function openAt(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.addInitScript(watchPage)
  await page.goto(`${url}&study=.`)
  await page.waitForFunction(() => window.seen.opened > 0, null, { timeout: 120_000 })
  const { opened, progress, tasks } = await page.evaluate(() => window.seen)
  const answers = await page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name, responseEnd }) => [new URL(name).pathname, responseEnd]),
  )
  const first = (path) => answers.filter(([name]) => name === path).map(([, at]) => at)
  const drawn = await draws(page)
  return {
    page,
    ...{ opened, progress, scripts: first('/page.js')[0], study: first('/api/study').at(-1) },
    ...{ trials: first('/api/trials')[0], pictures: Math.max(...drawn.map(({ end }) => end)) },
    ...{ longestDraw: longestOf(drawn), allDraws: drawn.reduce((sum, { took }) => sum + took, 0) },
    longestTask: longest(tasks.filter(([from]) => from < opened)),
  }
}

const longest = (tasks) => Math.max(0, ...tasks.map(([, duration]) => duration))

/** How many milliseconds each picture since the last time took, and when it was drawn. */
const draws = (page) =>
  page.evaluate(() => {
    const all = performance.getEntriesByType('measure')
    performance.clearMeasures()
    return all.map(({ startTime, duration }) => ({ took: duration, end: startTime + duration }))
  })

const longestOf = (drawn) => Math.max(...drawn.map(({ took }) => took))

/** The pointer over pictures, a range drawn along an axis, and another width, for which all pictures are drawn once more. */
async function inUse(page) {
  const from = await page.evaluate(() => performance.now())
  for (const canvas of await page.locator('.drawing canvas').all()) {
    await canvas.scrollIntoViewIfNeeded()
    const { x, y, width, height } = await canvas.boundingBox()
    for (const share of [0.2, 0.4, 0.6, 0.8]) await page.mouse.move(x + share * width, y + share * height)
  }
  const axes = page.locator('canvas.is-brushed')
  await axes.scrollIntoViewIfNeeded()
  const { x, y } = await axes.boundingBox()
  await page.mouse.move(x + 46, y + 60)
  await page.mouse.down()
  for (let step = 1; step <= 8; step++) await page.mouse.move(x + 46, y + 60 + 12 * step)
  await page.mouse.up()
  await page.setViewportSize({ width: 1200, height: 900 })
  await page.waitForFunction(() => performance.getEntriesByType('measure').length > 5)
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)))
  const { tasks } = await page.evaluate(() => window.seen)
  return {
    longestDraw: longestOf(await draws(page)),
    longestTaskInUse: longest(tasks.filter(([begun]) => begun >= from)),
  }
}
