import { checkOptions, checkPositiveInteger } from '../../checks.js'
import { invalidArgument } from '../../errors.js'

export interface MonitorOptions {
  /** Steps between records of losses, norms and ratios. Default 1: every step. */
  every?: number
  /**
   * Steps between looks at the layers: means, spreads, dead and saturated units, and in a run directory histograms of
   * activations, gradients and weights. Default 50; false for none.
   */
  histograms?: number | false
  /** The run directory; default that of `fit`. Without any the run is kept in memory alone, for `run.diagnose()`. */
  dir?: string
  /** Names of the classes by number, for the page, the report and the findings. Default: the numbers. */
  classNames?: readonly string[]
  /**
   * Measures the largest eigenvalue of the Hessian after every so many epochs on so many training examples, see
   * {@link sharpness}. Takes some dozen gradients' time. Default: never; `true` for each epoch and 256 examples.
   */
  sharpness?: boolean | { every?: number; examples?: number }
}

export interface MonitorSettings {
  every: number
  /** Null for none. */
  histograms: number | null
  dir?: string
  classNames?: readonly string[]
  sharpness: { every: number; examples: number } | null
}

export function resolveMonitorOptions(options: MonitorOptions): MonitorSettings {
  checkOptions('options', options, ['every', 'histograms', 'dir', 'classNames', 'sharpness'])
  const { every = 1, histograms = 50, dir, classNames, sharpness = false } = options
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw invalidArgument('dir', 'a path', dir)
  return {
    every: checkPositiveInteger('every', every),
    histograms: histograms === false ? null : checkPositiveInteger('histograms', histograms),
    dir,
    classNames: classNames && resolveClassNames(classNames),
    sharpness: resolveSharpness(sharpness),
  }
}

function resolveClassNames(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || names.length === 0) throw invalidArgument('classNames', 'an array of strings', names)
  for (const [i, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') throw invalidArgument(`classNames[${i}]`, 'a string', name)
  }
  return [...names]
}

function resolveSharpness(sharpness: NonNullable<MonitorOptions['sharpness']>): MonitorSettings['sharpness'] {
  if (sharpness === false) return null
  const given = sharpness === true ? {} : sharpness
  checkOptions('sharpness', given, ['every', 'examples'])
  const { every = 1, examples = 256 } = given
  checkPositiveInteger('sharpness.every', every)
  return { every, examples: checkPositiveInteger('sharpness.examples', examples) }
}
