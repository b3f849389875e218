// Decisions about trials: against the paper's pseudo-code, against Optuna's on recorded curves.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { asha } from '../dist/search/pruners/asha.js'
import { hyperband } from '../dist/search/pruners/hyperband.js'
import { median } from '../dist/search/pruners/median.js'
import { patience } from '../dist/search/pruners/patience.js'
import { Draws } from '../dist/search/space/draws.js'
import { AshaOfThePaper } from './support/asha-replay.js'

const pruners = suite('search pruners')

/** Losses that fall at different speeds and cross, with noise. */
function curvesOf(seed, count, epochs) {
  return Array.from({ length: count }, (_, trial) => {
    const draws = new Draws(seed, trial, 99)
    const [end, start, rate] = [0.5 * draws.next(), 1 + draws.next(), 0.1 + draws.next()]
    return Array.from({ length: epochs }, (_, epoch) => end + start * (epoch + 1) ** -rate + 0.02 * draws.normal())
  })
}

const trialAt = (number, state, reports) => ({ number, params: {}, state, value: null, reports })

/**
 * Workers train side by side, at speeds by draw, told by the pruner; the paper's algorithm is told of the same jobs, and both
 * must decide alike. Returns the jobs as `trial>epochs`.
 */
function replay({ seed, workers, count, epochs, reduction, minimum, direction = 'minimize', ...given }) {
  const sign = direction === 'maximize' ? -1 : 1
  const curves = given.curves ?? curvesOf(seed, count, epochs)
  const paper = new AshaOfThePaper({ reduction, minimum, maximum: epochs, curves })
  const pruner = asha({ reduction, minimum })
  const draws = new Draws(seed, 0, 98)
  const trials = []
  const jobs = []
  const free = Array.from({ length: workers }, () => null)
  const busy = []
  const reports = () => ({ trials, direction, epochs })

  const begin = (at) => {
    const job = paper.getJob()
    const promotion = pruner.next(reports())
    if (job === null) return assert.is(promotion, null)
    if (job.rung === 0) assert.is(promotion, null)
    else assert.equal(promotion, { trial: job.trial, epochs: paper.epochs(job.rung) })
    work(job, at)
  }
  const work = (job, at) => {
    trials[job.trial] ??= trialAt(job.trial, 'running', [])
    trials[job.trial] = { ...trials[job.trial], state: 'running' }
    jobs.push(`${job.trial}>${paper.epochs(job.rung)}`)
    busy.push({ job, done: at + (0.2 + draws.next()) * paper.epochs(job.rung) })
  }

  for (const _ of free) begin(0)
  while (busy.length > 0) {
    busy.sort((a, b) => b.done - a.done)
    const { job, done } = busy.pop()
    const { trial, rung } = job
    const values = [...trials[trial].reports]
    while (values.length < paper.epochs(rung)) {
      values.push(sign * curves[trial][values.length])
      trials[trial] = trialAt(trial, 'running', [...values])
      if (values.length < paper.epochs(rung)) assert.is(pruner.afterReport(reports(), trial), 'continue')
    }
    paper.completed(job)
    if (values.length === epochs) {
      assert.is(pruner.afterReport(reports(), trial), 'continue')
      trials[trial] = { ...trials[trial], state: 'complete', value: values.at(-1) }
      begin(done)
      continue
    }
    const decision = pruner.afterReport(reports(), trial)
    if (decision === 'continue') {
      // It is the job that its worker would have been given.
      assert.equal(paper.getJob(), { trial, rung: rung + 1 })
      work({ trial, rung: rung + 1 }, done)
    } else {
      assert.is(decision, 'pause')
      trials[trial] = { ...trials[trial], state: 'paused' }
      begin(done)
    }
  }
  return jobs
}

pruners('asha decides as the pseudo-code of the paper does, on any number of workers', () => {
  let promotions = 0
  for (let seed = 1; seed <= 8; seed++) {
    const workers = [1, 2, 4, 13][seed % 4]
    const direction = seed % 2 === 0 ? 'maximize' : 'minimize'
    const jobs = replay({ seed, workers, count: 100, epochs: 64, reduction: 4, minimum: 1, direction })
    promotions += jobs.length - 100
    assert.ok(jobs.some((job) => job.endsWith('>64')))
    replay({ seed, workers, count: 40, epochs: 54, reduction: 3, minimum: 2, direction })
  }
  assert.ok(promotions > 150, String(promotions))
})

pruners(
  'asha on 100 recorded curves of MNIST: as good as the best of all, in a quarter of the epochs, fewer than by stopping',
  () => {
    const recorded = JSON.parse(readFileSync(new URL('fixtures/search/mnist-curves.json', import.meta.url), 'utf8'))
    const { rows, epochs, errors: curves } = recorded
    assert.equal([curves.length, epochs], [100, 64])
    const best = Math.min(...curves.map((curve) => curve.at(-1)))
    for (const [i, workers] of [1, 2, 4, 13].entries()) {
      const jobs = replay({ seed: i, workers, count: 100, epochs, reduction: 4, minimum: 1, curves })
      const reached = new Map(jobs.map((job) => job.split('>').map(Number)))
      const spent = [...reached.values()].reduce((sum, value) => sum + value, 0)
      assert.ok(spent <= (100 * epochs) / 4, `${spent} epochs`)
      const full = [...reached].filter(([, epoch]) => epoch === epochs).map(([trial]) => curves[trial].at(-1))
      assert.ok(Math.min(...full) - best <= 0.002 * rows, `${Math.min(...full)} errors, ${best} at best`)
      const { spent: byStopping, complete } = stopping(curves, epochs)
      assert.ok(spent < byStopping, `${spent} epochs, ${byStopping} by stopping`)
      assert.ok(complete.length > 0)
    }
  },
)

/** One trial after the other, each until it is stopped. */
function stopping(curves, epochs) {
  const pruner = asha({ pauses: false })
  const trials = []
  for (const [number, curve] of curves.entries()) {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      trials[number] = trialAt(number, 'running', curve.slice(0, epoch))
      if (epoch === epochs) break
      const decision = pruner.afterReport({ trials, direction: 'minimize', epochs }, number)
      if (decision === 'stop') break
    }
    const { reports } = trials[number]
    trials[number] = { ...trials[number], state: reports.length === epochs ? 'complete' : 'pruned' }
  }
  const spent = trials.reduce((sum, { reports }) => sum + reports.length, 0)
  return { spent, complete: trials.filter(({ state }) => state === 'complete') }
}

pruners('asha with pauses finds as good a trial as all epochs do, in a quarter of them', () => {
  const [count, epochs] = [100, 64]
  const curves = curvesOf(5, count, epochs)
  const total = (jobs) => {
    const reached = new Map(jobs.map((job) => job.split('>').map(Number)))
    return { spent: [...reached.values()].reduce((sum, value) => sum + value, 0), reached }
  }
  const { spent, reached } = total(replay({ seed: 5, workers: 2, count, epochs, reduction: 4, minimum: 1 }))
  assert.ok(spent <= (count * epochs) / 4, String(spent))
  const ends = curves.map((curve) => curve.at(-1))
  const found = Math.min(...[...reached].filter(([, value]) => value === epochs).map(([trial]) => ends[trial]))
  const rank = ends.filter((end) => end < found).length
  assert.ok(rank <= 2, `${rank} of ${count} are better`)
})

pruners('the last step of asha leads to all epochs, and nothing is judged there', () => {
  const pruner = asha()
  const reports = (trials) => ({ trials, direction: 'minimize', epochs: 50 })
  const four = (length) => [0, 1, 2, 3].map((number) => trialAt(number, 'paused', Array(length).fill(number)))
  assert.equal(pruner.next(reports(four(1))), { trial: 0, epochs: 4 })
  assert.equal(pruner.next(reports(four(16))), { trial: 0, epochs: 50 })
  assert.is(pruner.next(reports(four(1).slice(0, 3))), null)
  assert.is(pruner.afterReport(reports([trialAt(0, 'running', Array(50).fill(1))]), 0), 'continue')
  // Who was interrupted between rungs had been promoted.
  const interrupted = [...four(1), trialAt(4, 'paused', [9, 9, 9])]
  assert.equal(pruner.next(reports(interrupted)), { trial: 4, epochs: 4 })
  assert.equal(pruner.next(reports([trialAt(0, 'paused', [])])), { trial: 0, epochs: 1 })
})

pruners('asha promotes on the highest rung first, and who would be promoted at once does not stop for it', () => {
  const pruner = asha()
  const low = [0, 1, 2, 3].map((number) => trialAt(number, 'paused', [number]))
  const high = [4, 5, 6, 7].map((number) => trialAt(number, 'paused', [9, 9, 9, number]))
  const reports = (trials) => ({ trials, direction: 'minimize', epochs: 64 })
  assert.equal(pruner.next(reports([...low, ...high])), { trial: 4, epochs: 16 })
  const fourth = (value) => reports([...low.slice(1), trialAt(0, 'running', [value])])
  assert.is(pruner.afterReport(fourth(0), 0), 'continue')
  assert.is(pruner.afterReport(fourth(1.5), 0), 'pause')
  // Another one is waiting higher up: that is what its worker goes on with.
  assert.is(pruner.afterReport(reports([...fourth(0).trials, ...high]), 0), 'pause')
})

pruners('exploded and failed trials are the worst of their rung, ended ones are not promoted', () => {
  const pruner = asha()
  const next = (...trials) => pruner.next({ trials, direction: 'maximize', epochs: 64 })
  const paused = trialAt(0, 'paused', [0.1])
  const broken = [trialAt(1, 'exploded', []), trialAt(2, 'failed', []), trialAt(3, 'exploded', [])]
  assert.equal(next(paused, ...broken), { trial: 0, epochs: 4 })
  assert.is(next(paused, ...broken.slice(1)), null)
  // One that exploded after the rung holds its place in it.
  assert.is(next(paused, trialAt(1, 'exploded', [0.9, 0.9]), ...broken.slice(1)), null)
  assert.is(next(trialAt(0, 'complete', [0.9]), ...broken, paused), null)
  assert.is(next(trialAt(0, 'paused', [Number.NaN]), ...broken), null)
})

const fixture = JSON.parse(readFileSync(new URL('fixtures/search/pruners.json', import.meta.url), 'utf8'))
const makers = {
  median,
  patience,
  asha,
  patienceOfMedian: (options) => patience({ ...options, pruner: median() }),
}

/** Trials one after the other, each until the pruner ends it; as the script of the fixture does. */
function stopsOf(pruner, direction, curves) {
  const sign = direction === 'maximize' ? -1 : 1
  const trials = []
  return curves.map((row, number) => {
    const curve = row.map((value) => (value === null ? Number.NaN : sign * value))
    for (let length = 1; length < curve.length; length++) {
      trials[number] = trialAt(number, 'running', curve.slice(0, length))
      const decision = pruner.afterReport({ trials, direction, epochs: curve.length }, number)
      if (decision === 'stop') {
        trials[number] = { ...trials[number], state: 'pruned' }
        return length
      }
      assert.is(decision, 'continue')
    }
    const value = curve.at(-1)
    trials[number] = { ...trialAt(number, Number.isNaN(value) ? 'failed' : 'complete', curve), value }
    return 0
  })
}

for (const { pruner, options, direction, stops } of fixture.cases) {
  pruners(`${pruner} ${JSON.stringify(options)} decides as Optuna's, ${direction}`, () => {
    const { curves } = fixture
    const whole = curves.filter((curve) => !curve.includes(null))
    assert.equal(stopsOf(makers[pruner](options), direction, pruner === 'asha' ? whole : curves), stops)
  })
}

pruners('without pauses nothing is ever taken up again', () => {
  for (const make of [asha, hyperband]) {
    assert.is(make({ pauses: false }).next, undefined)
    assert.type(make().next, 'function')
  }
  for (const pruner of [median(), patience(), patience({ pruner: median() })]) assert.is(pruner.next, undefined)
  const waiting = [0, 1, 2, 3].map((number) => trialAt(number, 'paused', [number]))
  assert.equal(patience({ pruner: asha() }).next({ trials: waiting, direction: 'minimize', epochs: 64 }), {
    trial: 0,
    epochs: 4,
  })
  for (const pruner of [median(), patience(), asha(), hyperband()])
    assert.throws(
      () => pruner.afterReport({ trials: [], direction: 'minimize', epochs: 64 }, 3),
      /expected one of the trials, received number 3/,
    )
})

pruners('hyperband: brackets have their shares at any time, and only their own trials compete', () => {
  const pruner = hyperband({ reduction: 3, minimum: 1 })
  const epochs = 27
  // Brackets begin at 1, 3, 9 and 27; shares by the paper's n = ⌈(s_max + 1) / (s + 1) · η^s⌉: 27, 12, 6, 4.
  const firstRung = (number) => {
    const curve = []
    while (curve.length < epochs) {
      curve.push(1)
      const trials = [trialAt(number, 'running', [...curve])]
      if (pruner.afterReport({ trials, direction: 'minimize', epochs }, number) === 'pause') return curve.length
    }
    return epochs
  }
  const firsts = Array.from({ length: 98 }, (_, number) => firstRung(number))
  const counts = (list) => [1, 3, 9, 27].map((first) => list.filter((one) => one === first).length)
  assert.equal(counts(firsts.slice(0, 49)), [27, 12, 6, 4])
  assert.equal(counts(firsts.slice(49)), [27, 12, 6, 4])
  for (let n = 1; n <= 49; n++)
    for (const [i, share] of [27, 12, 6, 4].entries())
      assert.ok(Math.abs(counts(firsts.slice(0, n))[i] - (share * n) / 49) < 1.5, `${n} trials`)
  const own = firsts.flatMap((first, number) => (first === 3 ? [number] : []))
  const other = firsts.flatMap((first, number) => (first === 1 ? [number] : []))
  const paused = own.slice(0, 3).map((number) => trialAt(number, 'paused', [1, 1, 0.5]))
  const better = other.slice(0, 2).map((number) => trialAt(number, 'running', [0, 0, 0]))
  const next = (trials) => pruner.next({ trials, direction: 'minimize', epochs })
  assert.equal(next([...paused, ...better]), { trial: own[0], epochs: 9 })
  assert.is(next(paused.slice(1)), null)
  const last = trialAt(own[3], 'running', [1, 1, 0.4])
  const decide = (trials) => pruner.afterReport({ trials, direction: 'minimize', epochs }, own[3])
  assert.is(decide([...paused.slice(1), ...better, last]), 'continue')
  assert.is(decide([...paused.slice(2), ...better, last]), 'pause')
})

pruners('bad options are told', () => {
  const refused = [
    [() => asha({ reduction: 1 }), 'reduction: expected a whole number from 2 up, received 1'],
    [() => asha({ minimum: 0 }), 'minimum: expected a positive integer, received 0'],
    [() => asha({ pauses: 1 }), 'pauses: expected true or false, received 1'],
    [() => asha({ eta: 3 }), /^asha: there is no option "eta"/],
    [() => hyperband({ reduction: 2.5 }), /^reduction: expected/],
    [() => median({ startup: -1 }), 'startup: expected a whole number from 0 up, received -1'],
    [() => median({ interval: 0 }), 'interval: expected a positive integer, received 0'],
    [() => patience({ patience: 1.5 }), /^patience: expected a whole number/],
    [() => patience({ pruner: {} }), 'pruner.afterReport: expected a function, received undefined'],
    [() => patience(3), /^patience: expected an options object, received 3; did you mean \{ patience: 3 \}\?$/],
  ]
  for (const [call, message] of refused) {
    assert.throws(call, (error) => {
      assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
      if (typeof message === 'string') assert.is(error.message, message)
      else assert.match(error.message, message)
      return true
    })
  }
})

pruners.run()
