// The page of a study with many trials: from the click to the table, the longest picture, and how smooth it is in use.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../lib/median.js'
import { makeStudyOf } from './make-study.js'
import { launch, openOnce } from './open-page.js'

const wanted = { opened: 1000, longestDraw: 50 }

export async function run({ quick = false, rounds = quick ? 3 : 7 } = {}) {
  const [trials, epochs] = [quick ? 1000 : 10_000, 30]
  const folder = mkdtempSync(join(tmpdir(), 'gradus-study-page-'))
  const browser = await launch()
  try {
    const dir = join(folder, 'study')
    await makeStudyOf(dir, { trials, epochs })
    // The first one also starts what the browser needs for any page.
    await openOnce(browser, dir)
    const withCache = await openings(browser, dir, rounds)
    rmSync(join(dir, 'masters'), { recursive: true })
    const without = await openings(browser, dir, Math.min(rounds, 3))
    const waiting = join(folder, 'waiting')
    await makeStudyOf(waiting, { trials, epochs: 0 })
    const queued = await openings(browser, waiting, Math.min(rounds, 3))
    const rows = [row('ended, cached', withCache), row('ended, no cache', without), row('all wait', queued)]
    return tableOf({ trials, epochs, rows })
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

function row(name, all) {
  const of = (name) => all.map((one) => one[name])
  const middle = (name) => Math.round(median(of(name)))
  const most = (name) => Math.round(Math.max(...of(name)))
  return [
    ...[
      name,
      middle('opened'),
      most('opened'),
      middle('sinceCommand'),
      ...['scripts', 'study', 'trials', 'pictures'].map(middle),
    ],
    ...[middle('longestDraw'), most('longestDraw'), middle('allDraws'), most('longestTask'), most('longestTaskInUse')],
    Number((wanted.opened / median(of('opened'))).toPrecision(3)),
  ]
}

const tableOf = ({ trials, epochs, rows }) => ({
  title: 'the page of a large study',
  columns: [
    ...[
      'trials',
      'opens, ms',
      'at most',
      'since the command',
      'scripts there',
      'study told',
      'trials there',
      'pictures drawn',
    ],
    ...['longest draw, ms', 'at most', 'all draws', 'longest task', 'longest in use', 'ratio of 1 s'],
  ],
  rows,
  notes: [
    `A study of ${trials} trials with ${epochs} reports each, generated, or of as many that wait for a worker; Chromium without a GPU, which runs already, opens its page, served by \`gradus watch\` in a process that has just begun, and reads since then: medians of the openings, and the worst.`,
    'Opens: from the navigation until the table’s first rows are on the screen, all pictures drawn before; wanted is 1 s with the cache. Of it, from the navigation on: until the scripts, what is told of the study, and the trials have arrived, and all pictures are drawn; then the table.',
    `Longest draw: of any one picture, when the page opens, when a range is drawn along an axis, and when the width changes; wanted are ${wanted.longestDraw} ms. The longest task is the page’s longest piece of work in one go while it opens, and then in use: the pointer over all pictures, a range drawn along an axis, another width; 0 where none took 50 ms.`,
  ],
})
