// The page of a study in headless Chromium, served by `gradus watch`, a process of its own: how long until it shows the trials,
// and how long it draws.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

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

/** Milliseconds; the server has read nothing before. */
export async function openOnce(browser, folder) {
  const server = spawn(process.execPath, [command, 'watch', folder, '--open', 'no'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.addInitScript(watchPage)
    await page.goto(`${line.trim()}&study=.`)
    await page.waitForFunction(() => window.seen.opened > 0, null, { timeout: 120_000 })
    const { opened, progress, tasks } = await page.evaluate(() => window.seen)
    const first = await draws(page)
    const again = await drawnAgain(page)
    await page.close()
    return {
      ...{ opened, progress },
      longestDraw: Math.max(...first, ...again),
      allDraws: first.reduce((sum, one) => sum + one, 0),
      longestTask: Math.max(0, ...tasks.map(([, duration]) => duration)),
    }
  } finally {
    server.kill()
    await once(server, 'exit')
  }
}

/** Milliseconds of each picture since the last time. */
const draws = (page) =>
  page.evaluate(() => {
    const times = performance.getEntriesByType('measure').map(({ duration }) => duration)
    performance.clearMeasures()
    return times
  })

/** Another width has all pictures drawn once more. */
async function drawnAgain(page) {
  await page.setViewportSize({ width: 1200, height: 900 })
  await page.waitForFunction(() => performance.getEntriesByType('measure').length > 5)
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)))
  return await draws(page)
}
