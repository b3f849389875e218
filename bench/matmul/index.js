// matmul against the best libraries of today, the machine's multiply-add peak, and the register tile alone; or against
// the kernels of another checkout. On one thread all take turns in one process; libraries' own threads would disturb
// the others there, so that on two threads each has a process of its own, and these take turns.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { geometricMean, median, quantile } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalLibraries } from '../lib/python.js'
import { compileCheckout, compileRivals } from './rivals.js'

const program = fileURLToPath(new URL('../../build/Release/gradus_bench_matmul', import.meta.url))

/** Rates of everybody who takes part, by shape and form: { key → name → a rate for each round }; and who they are. */
async function measure(threads, competitors, libraries, only = '') {
  const args = competitors.map((name) => (libraries[name] ? `${name}=${libraries[name]}` : name))
  const environment = {
    ...rivalEnvironment(threads),
    LD_LIBRARY_PATH: rivalLibraries,
    ...(threads === 1 && { MKL_THREADING_LAYER: 'SEQUENTIAL' }),
  }
  const rates = new Map()
  const about = {}
  for (const line of (await runProcess(program, [`${threads}`, only, ...args], environment)).trim().split('\n')) {
    if (!line.startsWith('{')) continue // a library that speaks for itself
    const found = JSON.parse(line)
    if (found.shape) rates.set(`${found.shape} ${found.form}`, found.rates)
    else if (found.rival) about[found.rival] = found.version
    else about.isa = found.isa
  }
  return { rates, about }
}

const number = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : '–')
const rate = (rates) => (rates?.length ? median(rates) : Number.NaN)
/** Round by round. */
const ratio = (ours, theirs) => median(ours.map((value, round) => value / theirs[round]))
const labels = (key) => [key.split(' ')[0].replaceAll('x', '×'), key.split(' ').slice(1).join(' ')]
const bestOf = (names, rates) => names.reduce((best, name) => (rate(rates[name]) > rate(rates[best]) ? name : best))

async function withTwoThreads(libraries, rounds, only) {
  const names = ['gradus', ...Object.keys(libraries)]
  const rates = new Map()
  for (let round = 0; round < rounds; ++round)
    for (const name of names)
      for (const [key, found] of (await measure(2, [name], libraries, only)).rates) {
        if (!rates.has(key)) rates.set(key, Object.fromEntries(names.map((each) => [each, []])))
        rates.get(key)[name].push(rate(found[name]))
      }
  return rates
}

async function againstRivals(folder, { quick, rounds = quick ? 1 : 3, only }) {
  const libraries = await compileRivals(folder, 1)
  const names = Object.keys(libraries)
  const { rates, about } = await measure(1, ['gradus', 'peak', 'tile', ...names], libraries, only)
  const ofTwo = await withTwoThreads(await compileRivals(folder, 2), rounds, only)
  const ratios = { 1: [], 2: [] }
  const ofTile = []
  const rows = [...rates].map(([key, of]) => {
    const two = ofTwo.get(key)
    const present = names.filter((name) => of[name].length)
    const best = present.length ? bestOf(present, of) : undefined
    if (best) ratios[1].push(ratio(of.gradus, of[best]))
    const bestOfTwo = Object.keys(two).length > 1 ? bestOf(Object.keys(two).slice(1), two) : undefined
    if (bestOfTwo) ratios[2].push(ratio(two.gradus, two[bestOfTwo]))
    const share = ratio(of.gradus, of.tile)
    if (Math.min(...key.split(' ')[0].split('x')) >= 1024) ofTile.push(share)
    return [
      ...labels(key),
      number(rate(of.gradus), 1),
      ...names.map((name) => number(rate(of[name]), 1)),
      best ?? '–',
      best ? number(ratios[1].at(-1)) : '–',
      number(ratio(of.gradus, of.peak)),
      number(share),
      number(rate(two.gradus), 1),
      bestOfTwo ?? '–',
      bestOfTwo ? number(ratios[2].at(-1)) : '–',
    ]
  })
  const summary = (list) => `geometric mean ${geometricMean(list).toFixed(3)}, least ${Math.min(...list).toFixed(3)}`
  const versions = names.map((name) => `${name}: ${about[name]}`).join('; ')
  return {
    title: 'matmul, float32',
    columns: [
      ...['M×K×N', 'product', 'GFLOP/s', ...names, 'best rival', 'ratio to it', 'of the peak', 'of the tile alone'],
      ...['2 threads', 'best of 2', 'ratio, 2 threads'],
    ],
    rows,
    notes: [
      `GFLOP/s, medians; ratios and shares are medians of those of each round. Ours: ${about.isa}.`,
      ...(ratios[1].length ? [`One thread, to the best rival on each shape: ${summary(ratios[1])}.`] : []),
      ...(ofTile.length ? [`From 1024³ up, of the tile alone: least ${Math.min(...ofTile).toFixed(3)}.`] : []),
      ...(ratios[2].length ? [`Two threads: ${summary(ratios[2])}.`] : []),
      `${versions}.`,
    ],
  }
}

async function againstCheckout(folder, checkout, only) {
  const isa = (await measure(1, [], {}, 'nothing')).about.isa
  const libraries = {
    here: await compileCheckout(fileURLToPath(new URL('../..', import.meta.url)), isa, join(folder, 'here')),
    there: await compileCheckout(checkout, isa, join(folder, 'there')),
  }
  const { rates } = await measure(1, ['here', 'there'], libraries, only)
  const ratios = []
  const rows = [...rates].map(([key, { here, there }]) => {
    const of = here.map((value, round) => value / there[round])
    ratios.push(median(of))
    const shares = [median(of), quantile(of, 0.25), quantile(of, 0.75)]
    return [...labels(key), number(rate(here), 1), number(rate(there), 1), ...shares.map((share) => number(share))]
  })
  return {
    title: 'matmul, float32, against another checkout',
    columns: ['M×K×N', 'product', 'GFLOP/s', 'other', 'ratio', 'lower quartile', 'upper quartile'],
    rows,
    notes: [`One thread, ${isa}, both in one process. Geometric mean ${geometricMean(ratios).toFixed(4)}.`],
  }
}

export const run = async ({ against, ...options } = {}) => {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:bench\` first`)
  const folder = mkdtempSync(join(tmpdir(), 'gradus-bench-'))
  try {
    return await (against ? againstCheckout(folder, against, options.only) : againstRivals(folder, options))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
