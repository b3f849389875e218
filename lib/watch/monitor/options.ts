import { checkBoolean, checkPath, checkPositiveInteger } from '../../checks.js'
import { invalidArgument } from '../../errors.js'
import { anything, optionsOf } from '../../options.js'

export interface MonitorOptions {
  /** Steps between records of losses, norms and ratios. Default 1: every step. */
  every?: number | undefined
  /**
   * Steps between looks at the layers: means, spreads, dead and saturated units, and in a run directory histograms of
   * activations, gradients and weights. Default 50; false for none.
   */
  histograms?: number | false | undefined
  /** The run directory; default that of `fit`. Without any the run is kept in memory alone, for `run.diagnose()`. */
  dir?: string | undefined
  /** Names of the classes by number, for the page, the report and the findings. Default: the numbers. */
  classNames?: readonly string[] | undefined
  /**
   * After each epoch shows what the first convolutions of a classifier of images answer to one example, which takes a pass
   * over the watched examples each time. Default false.
   */
  featureMaps?: boolean | undefined
  /**
   * Measures the largest eigenvalue of the Hessian after every so many epochs on so many training examples, see
   * {@link sharpness}. Takes some dozen gradients' time. Default: never; `true` for each epoch and 256 examples.
   */
  sharpness?: boolean | { every?: number | undefined; examples?: number | undefined } | undefined
}

export interface MonitorSettings {
  every: number
  /** Null for none. */
  histograms: number | null
  dir?: string | undefined
  classNames?: readonly string[] | undefined
  featureMaps: boolean
  sharpness: { every: number; examples: number } | null
}

export function resolveMonitorOptions(options: MonitorOptions): MonitorSettings {
  const { histograms, sharpness, ...read } = readOptions(options)
  return {
    ...read,
    histograms: histograms === false ? null : histograms,
    sharpness: sharpness === false ? null : readSharpness(sharpness === true ? {} : sharpness, 'sharpness'),
  }
}

const readOptions = optionsOf<MonitorOptions>()('monitor', {
  every: [checkPositiveInteger, 1],
  histograms: [(argument, value) => (value === false ? value : checkPositiveInteger(argument, value)), 50],
  dir: checkPath,
  classNames: checkClassNames,
  featureMaps: [checkBoolean, false],
  sharpness: [anything<NonNullable<MonitorOptions['sharpness']>>, false],
})
const readSharpness = optionsOf<{ every?: number | undefined; examples?: number | undefined }>()('sharpness', {
  every: [checkPositiveInteger, 1],
  examples: [checkPositiveInteger, 256],
})

function checkClassNames(argument: string, names: unknown): readonly string[] {
  if (!Array.isArray(names) || names.length === 0) throw invalidArgument(argument, 'an array of strings', names)
  for (const [i, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') throw invalidArgument(`${argument}[${i}]`, 'a string', name)
  }
  return [...names]
}
