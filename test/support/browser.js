// Headless Chromium, and what a page in it says and does: everything that should not be there is collected.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

/** Milliseconds for what is on its way: on a busy machine it may take long, so the end is only for what never comes. */
const patience = 120_000

/** Ends the process, rather than skipping, where there is no browser: an unseen page is an untested one. */
export async function launch() {
  if (!existsSync(executablePath)) {
    console.error(`${executablePath} is missing: apt-get install chromium, or name one in CHROMIUM`)
    process.exit(1)
  }
  return chromium.launch({ executablePath, args: [...args, '--disable-component-update', '--disable-sync'] })
}

/** A page with `problems`: errors, messages of the console, refused scripts and requests to other places. */
export async function openPage(browser, url, { width = 1280, height = 900, colorScheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  const problems = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  const own = new URL(url)
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && origin !== own.origin) problems.push(`request to ${request.url()}`)
  })
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy: ${violatedDirective} ${blockedURI}`)
    })
  })
  await page.goto(url)
  return { page, problems, close: () => context.close() }
}

/** Sideways, in CSS pixels; 0 where everything fits. */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** Waits until what is open has nothing in it that says it is empty. */
export const filled = (page) =>
  page.waitForFunction(() => [...document.querySelectorAll('#panel .empty')].every((text) => !text.checkVisibility()))
