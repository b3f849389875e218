// The page of a study with many trials: from the click to the table, and the longest picture.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { median } from '../lib/median.js'
import { makeStudyOf } from './make-study.js'
import { openOnce } from './open-page.js'

const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const wanted = { opened: 1000, longestDraw: 50 }

export async function run({ quick = false, rounds = quick ? 3 : 7 } = {}) {
  const [trials, epochs] = [quick ? 1000 : 10_000, 30]
  const folder = mkdtempSync(join(tmpdir(), 'gradus-study-page-'))
  const browser = await chromium.launch({ executablePath, args: flags })
  try {
    const dir = join(folder, 'study')
    await makeStudyOf(dir, { trials, epochs })
    // The first one also starts what the browser needs for any page.
    await openOnce(browser, dir)
    const withCache = await openings(browser, dir, rounds)
    rmSync(join(dir, 'masters'), { recursive: true })
    const without = await openings(browser, dir, Math.min(rounds, 3))
    return tableOf({ trials, epochs, rows: [row('with', withCache), row('without', without)] })
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true })
  }
}

async function openings(browser, dir, rounds) {
  const all = []
  for (let round = 0; round < rounds; round++) all.push(await openOnce(browser, dir))
  return all
}

const whole = (times) => Math.round(times)

function row(cache, all) {
  const of = (name) => all.map((one) => one[name])
  return [
    ...[cache, whole(median(of('opened'))), whole(Math.max(...of('opened'))), whole(median(of('progress')))],
    ...[whole(median(of('longestDraw'))), whole(Math.max(...of('longestDraw')))],
    ...[whole(median(of('allDraws'))), whole(median(of('longestTask')))],
    Number((wanted.opened / median(of('opened'))).toPrecision(3)),
  ]
}

const tableOf = ({ trials, epochs, rows }) => ({
  title: 'the page of a large study',
  columns: [
    ...['master’s cache', 'opens, ms', 'at most', 'progress seen after', 'longest draw, ms', 'at most'],
    ...['all draws', 'longest task', 'ratio of 1 s'],
  ],
  rows,
  notes: [
    `A study of ${trials} trials with ${epochs} reports each, generated; Chromium without a GPU opens its page, served by \`gradus watch\` in a process that has just begun: medians, and the worst.`,
    'Opens: from the navigation until the table’s first rows are on the screen, all pictures drawn before; wanted is 1 s with the cache. Without it a bar tells of the progress meanwhile.',
    `Longest draw: of any one picture, when the page opens and when its width changes; wanted are ${wanted.longestDraw} ms. The longest task is the page’s longest piece of work while it opens, where that took more than 50 ms.`,
  ],
})
