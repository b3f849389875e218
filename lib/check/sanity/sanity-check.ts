/** The checks before training. */
import { inspect } from 'node:util'
import { takeExamples } from '../../data/split.js'
import { type Data, isStream } from '../../data/stream.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { Model } from '../../model/model.js'
import type { Extensions } from '../../train/extensions.js'
import { countExamples, examplesOf, sliceExamples } from '../subset.js'
import type { SanityCheck, SanityResult } from './check.js'
import { activationSpread, deadUnits } from './checks/activations.js'
import { classes } from './checks/classes.js'
import { dataScale } from './checks/data-scale.js'
import { badRows, finiteData } from './checks/finite-data.js'
import { gradients } from './checks/gradients.js'
import { initialLoss } from './checks/initial-loss.js'
import { learningRate } from './checks/learning-rate.js'
import { overfit } from './checks/overfit.js'
import { regularization } from './checks/regularization.js'
import { shuffledLabels } from './checks/shuffled-labels.js'
import { targetScale } from './checks/target-scale.js'
import { targets } from './checks/targets.js'
import { validationOverlap } from './checks/validation-overlap.js'
import { zeroedInputs } from './checks/zeroed-inputs.js'
import { Context } from './context.js'
import { resolveSanityOptions, type SanityCheckOptions, type SanitySettings } from './options.js'

/** In the order in which they are made: the data first, then the untrained model, then a little training. */
const all: readonly SanityCheck[] = [
  ...[finiteData, dataScale, targets, targetScale, classes, validationOverlap],
  ...[initialLoss, zeroedInputs, regularization, gradients, deadUnits, activationSpread],
  ...[learningRate, overfit, shuffledLabels],
]

const marks = { passed: '✓', failed: '✗', undecided: '?' } as const

/** What {@link sanityCheck} found: a short list when printed. */
export class SanityReport {
  /** Whether no check failed. */
  readonly passed: boolean
  readonly checks: readonly SanityResult[]
  /** Names of checks that were left out, by `skip` or because the model cannot take the data. */
  readonly skipped: readonly string[]

  /** @internal */
  constructor(checks: readonly SanityResult[], skipped: readonly string[]) {
    this.checks = checks
    this.skipped = skipped
    this.passed = checks.every((check) => check.passed)
  }

  toJSON(): { passed: boolean; checks: readonly SanityResult[]; skipped: readonly string[] } {
    return { passed: this.passed, checks: this.checks, skipped: this.skipped }
  }

  toString(): string {
    const width = Math.max(...this.checks.map(({ name }) => name.length))
    const lines = this.checks.map(({ name, verdict, message, advice }) => {
      const line = `${marks[verdict]} ${name.padEnd(width)}  ${message}`
      return advice ? `${line}\n  ${' '.repeat(width)}  → ${advice}` : line
    })
    const count = (of: SanityResult['verdict']) => this.checks.filter(({ verdict }) => verdict === of).length
    const [failures, undecided] = [count('failed'), count('undecided')]
    const outcome = failures ? `${failures} failed` : undecided ? 'none failed' : 'all passed'
    const skipped = this.skipped.length ? [`left out: ${this.skipped.join(', ')}`] : []
    return [`sanity checks: ${outcome}${undecided ? `, ${undecided} undecided` : ''}`, ...lines, ...skipped].join('\n')
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/**
 * Looks at data and model before training, on copies: whether the loss begins at chance, regularization adds what it
 * should, a few examples can be memorized, every parameter gets a gradient, and some ten more (CS231n, "Before
 * learning: sanity checks"). Each check says what it expected, what it found, and what to do.
 *
 * @throws `GRADUS_NOT_COMPILED`, `GRADUS_INVALID_ARGUMENT` for streams and bad options. What is wrong with data or model is
 * in the report.
 * @example
 * const report = await sanityCheck(model, { x, y })
 * if (!report.passed) console.log(String(report))
 */
export async function sanityCheck(model: Model, data: Data, options: SanityCheckOptions = {}): Promise<SanityReport> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const settings = resolveSanityOptions(
    options,
    all.map(({ name }) => name),
  )
  settings.signal?.throwIfAborted()
  let context = open(model, data, settings)
  const results: SanityResult[] = []
  const hasFailed = (name: string) => results.some((result) => result.name === name && !result.passed)
  try {
    for (const check of all) {
      if (settings.skip.includes(check.name) || (check.needs === 'targets' && hasFailed(targets.name))) continue
      settings.signal?.throwIfAborted()
      if (check.needs !== 'data') await context.prepare()
      results.push({ name: check.name, ...(await check.run(context)) })
      // The other checks see the rows that are sound.
      if (check === finiteData && hasFailed(finiteData.name)) context = await withoutBadRows(context)
    }
  } finally {
    context.dispose()
  }
  const made = results.map(({ name }) => name)
  return new SanityReport(
    results,
    all.map(({ name }) => name).filter((name) => !made.includes(name)),
  )
}

/** What training will see, and what it will be validated with. */
function open(model: Model, data: Data, settings: SanitySettings): Context {
  const examples = examplesOf(data)
  const rows = countExamples(examples, model.inputs)
  if (rows === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'data: expected at least one example, received none')
  }
  const { validationSplit } = settings
  if (validationSplit === undefined) return new Context(model, examples, settings)
  const first = rows - Math.round(rows * validationSplit)
  if (first === 0 || first === rows) {
    const message = `validationSplit: expected at least one row on each side, received ${validationSplit} of ${rows} rows`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const part = (begin: number, end: number) => sliceExamples(examples, begin, end, model.inputs)
  return new Context(model, part(0, first), { ...settings, validation: part(first, rows) })
}

async function withoutBadRows(context: Context): Promise<Context> {
  const { model, examples, settings, rows } = context
  const bad = new Set((await badRows(context)).map(({ row }) => row))
  const sound = Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => !bad.has(row))
  if (!sound.length) throw new GradusError('GRADUS_INVALID_DATA', 'data: no row is finite')
  context.dispose()
  return new Context(model, takeExamples(examples, sound, rows), settings)
}

/** What `fit({ sanityCheck: true })` does first. */
export const preflight: Extensions['preflight'] = async (target, data, settings) => {
  const { validation, validationSplit, schedule, threads, signal, quiet } = settings
  const held = isStream(validation) ? undefined : validation
  const report = await sanityCheck(target as Model, data, {
    ...{ validation: held, validationSplit, schedule, threads, signal },
  })
  if (!report.passed) throw new GradusError('GRADUS_SANITY_CHECK', String(report))
  if (!quiet) process.stderr.write(`sanity checks: all ${report.checks.length} passed\n`)
}
