// Steps of training, evaluation and prediction against PyTorch, JAX and tfjs, or against another checkout: each in its own
// process, taking turns.
import { fileURLToPath } from 'node:url'
import { geometricMean, median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { againstCheckout } from './against.js'
import { gradus, loop, peak, rivals, threads } from './competitors.js'
import { rowsWith } from './rows.js'

const eventLoop = fileURLToPath(new URL('event_loop.js', import.meta.url))
const threadCounts = [1, 2, 4, 8]
const rounded = (value, digits = 3) => (value === undefined ? '–' : Number(value.toPrecision(digits)))

/** For each row the results of each round: { ours, share of the peak, rivals by name }. */
async function measure(rows, competitors, { rounds, milliseconds }) {
  const found = new Map(rows.map((row) => [row, []]))
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      const before = await peak()
      const ours = await gradus()(row, milliseconds)
      const share = row.operations / (ours.microseconds * 1000) / ((before + (await peak())) / 2)
      const others = {}
      for (const [name, { run, takesPart }] of Object.entries(competitors)) {
        if (takesPart(row, round)) others[name] = await run(row, milliseconds)
      }
      found.get(row).push({ ours, share, others })
    }
  }
  return found
}

/**
 * The medians of a row's rounds. times: rival → microseconds; best: the rival with the least ratio, as the median of rounds,
 * and bestOfSteps that of those which come back to their language after each step.
 */
function summary(results) {
  const times = {}
  let best
  let bestOfSteps
  for (const name of Object.keys(results[0].others)) {
    const both = results.filter(({ others }) => others[name])
    times[name] = median(both.map(({ others }) => others[name].microseconds))
    const ratio = median(both.map(({ ours, others }) => others[name].microseconds / ours.microseconds))
    if (!best || ratio < best.ratio) best = { name, ratio }
    if (name !== loop && (!bestOfSteps || ratio < bestOfSteps.ratio)) bestOfSteps = { name, ratio }
  }
  const costs = results
    .filter(({ ours }) => ours.withoutStatistics)
    .map(({ ours }) => 100 * (ours.microseconds / ours.withoutStatistics - 1))
  return {
    microseconds: median(results.map(({ ours }) => ours.microseconds)),
    share: median(results.map(({ share }) => share)),
    statistics: costs.length ? median(costs) : undefined,
    times,
    best,
    bestOfSteps,
  }
}

/** What the main nets take with each number of threads, taking turns, and the median of the ratios to two in each round. */
async function threadsNote(rows, { rounds, milliseconds }) {
  const told = []
  for (const row of rows) {
    const found = threadCounts.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [i, count] of threadCounts.entries()) {
        found[i].push((await gradus(undefined, count)(row, milliseconds)).microseconds)
      }
    }
    const two = found[threadCounts.indexOf(2)]
    const ratios = found.map((times) => rounded(median(times.map((time, round) => time / two[round]))))
    told.push(`${row.label} ${found.map((times) => rounded(median(times))).join(', ')} (÷ two: ${ratios.join(', ')})`)
  }
  return `Adam with ${threadCounts.join(', ')} threads, µs a step: ${told.join('; ')}.`
}

async function eventLoopNote(rounds) {
  const blocks = { 1: [], 2: [] }
  for (let round = 0; round < rounds; round++) {
    for (const count of Object.keys(blocks)) {
      blocks[count].push(Number(await runProcess(process.execPath, ['--expose-gc', eventLoop, count])))
    }
  }
  const longest = Object.entries(blocks).map(([count, found]) => `${rounded(median(found))} ms with ${count}`)
  return `Longest block of the event loop during fit on 60,000 × 784 bytes: ${longest.join(', ')} threads.`
}

/** How far ahead of the best rival in the rows of the nets with both optimizers. */
function ratioNote(summaries) {
  const told = (which) => {
    const ratios = summaries.map((found) => found[which].ratio)
    return `${geometricMean(ratios).toFixed(2)}, least ${Math.min(...ratios).toFixed(2)}`
  }
  return `Nets with both optimizers, geometric mean of the ratios to the best rival: ${told('best')}; without ${loop}: ${told('bestOfSteps')}.`
}

async function notesOf(rows, summaries, versions, plan) {
  const main = rows.filter(({ isMain }) => isMain)
  const withAdam = main.filter(({ work }) => work === 'adam')
  const costs = [...summaries.values()].map(({ statistics }) => statistics).filter((cost) => cost !== undefined)
  const notes = [
    `Times in µs a step, with tensor statistics on; a ratio above 1 says that Gradus is faster. ${threads} threads each.`,
    'Gradus gathers another batch of resident data each step; the rivals take the same one again.',
    'Ratios are medians of those of the rounds. Share of the peak: multiply-adds of the step against those that as many threads reach right before and after.',
  ]
  if (versions.size) {
    notes.push(`${loop}: a bunch of steps is one call, as in Gradus; the other rivals are called for each step.`)
    notes.push(`Rivals: ${[...versions].join(', ')}.`)
    if (main.length) notes.push(ratioNote(main.map((row) => summaries.get(row))))
  }
  if (costs.length)
    notes.push(`Statistics on against off: ${rounded(median(costs), 2)} % of step time in the median of the rows.`)
  if (withAdam.length) notes.push(await threadsNote(withAdam, plan))
  return [...notes, await eventLoopNote(plan.rounds)]
}

async function againstRivals(rows, competitors, plan) {
  const found = await measure(rows, competitors, plan)
  const summaries = new Map(rows.map((row) => [row, summary(found.get(row))]))
  const others = [...found.values()].flat().flatMap((result) => Object.values(result.others))
  const names = Object.keys(competitors)
  const times = ['Gradus', ...names].map((name) => `${name} µs`)
  const ratios = ['best rival', 'ratio to it', `ratio without ${loop}`]
  return {
    title: 'One step, float32',
    columns: ['net', 'work', ...times, ...ratios, 'share of the peak', 'statistics, %'],
    rows: rows.map((row) => {
      const { microseconds, times, best, bestOfSteps, share, statistics } = summaries.get(row)
      const cells = [microseconds, ...names.map((name) => times[name])].map((value) => rounded(value))
      const against = [best?.name ?? '–', rounded(best?.ratio), rounded(bestOfSteps?.ratio)]
      return [row.label, row.work, ...cells, ...against, rounded(share, 2), rounded(statistics, 2)]
    }),
    notes: await notesOf(rows, summaries, new Set(others.map(({ version }) => version)), plan),
  }
}

export function run({ quick = false, against, only, rounds } = {}) {
  const rows = rowsWith(only)
  const plan = { rounds: rounds ?? (quick ? 1 : against ? 9 : 3), milliseconds: quick ? 250 : 1000 }
  return against ? againstCheckout(against, rows, plan) : againstRivals(rows, rivals({ quick }), plan)
}
