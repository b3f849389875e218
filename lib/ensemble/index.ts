import type { Data } from '../data/stream.js'
import { invalidArgument } from '../errors.js'
import type { Model } from '../model/model.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import type { AnyValues } from '../train/history.js'
import type { Calibrated } from './calibrate.js'
import { Ensemble, type EnsembleOptions } from './ensemble.js'
import type { EnsembleReport } from './ensemble-report.js'
import type { FitWeightsOptions } from './fit-weights.js'
import type { FromCheckpointsOptions } from './from-checkpoints.js'
import type { FromFilesOptions, ScoredFile } from './from-files.js'
import type { FromSeedsOptions } from './from-seeds.js'
import type { Predictor } from './predictor.js'
import type { ReportOptions } from './report.js'
import type { Selection, SelectOptions } from './select.js'
import type { SoupOptions } from './soup.js'

export type { Calibrated, Calibration } from './calibrate.js'
export { type DistillOptions, distill } from './distill.js'
export type { Combine, Ensemble, EnsembleOptions, EnsemblePredictOptions, Spread } from './ensemble.js'
export type { EnsembleReport, MemberReport, PredictorReport } from './ensemble-report.js'
export type { Figures } from './figures.js'
export type { FitWeightsOptions } from './fit-weights.js'
export type { FromCheckpointsOptions } from './from-checkpoints.js'
export type { FromFilesOptions, ScoredFile } from './from-files.js'
export type { FromSeedsOptions } from './from-seeds.js'
export { loadEnsemble } from './load.js'
export type { LoadedOptions } from './loaded-members.js'
export type { MemberFit, MemberFitOptions } from './member-fit.js'
export type { Predictor } from './predictor.js'
export type { ReportOptions } from './report.js'
export type { Selection, SelectOptions } from './select.js'
export type { SoupOptions } from './soup.js'

/**
 * Several models as one predictor, which is nearly always better than the mean of them. They may differ in architecture, not in
 * inputs, outputs and loss. They stay what they are: `dispose` of the ensemble leaves them.
 *
 * @throws GRADUS_INVALID_ARGUMENT or GRADUS_SHAPE_MISMATCH naming the member that does not fit the others
 * @example
 * const together = ensemble([first, second, third])
 * const { loss, accuracy } = await together.evaluate(test)
 */
export function ensemble<Values extends object = AnyValues>(
  members: readonly Model<Values>[],
  options: EnsembleOptions = {},
): Ensemble<Values> {
  return new Ensemble<Values>(members, options)
}

// Loaded by who makes ensembles, not by all who import the package.

/**
 * Trains the same model from several initialisations: what such models get wrong differs, and their mean is nearly always better
 * than each. Examples are copied into native memory once for all; a stream is a function that gives each member its own iterable.
 *
 * The members belong to the ensemble: its `dispose` frees them. When one fails the others are stopped.
 *
 * @param make - makes a new compiled model of a seed; may be async
 * @throws GRADUS_INVALID_ARGUMENT also when `make` makes the same model of two seeds; those of `fit`, after the seed that they are
 * of; the signal's reason
 * @example
 * const together = await ensemble.fromSeeds((seed) => sequential({ input: [784], seed }, layers()).compile(options), train, {
 *   count: 5, dir: 'runs/five', fit: { epochs: 10, validation } })
 */
ensemble.fromSeeds = async <Values extends object = AnyValues>(
  make: (seed: number) => Model<Values> | Promise<Model<Values>>,
  data: Data,
  options: FromSeedsOptions<Values> = {},
): Promise<Ensemble<Values>> => {
  const { fromSeeds } = await import('./from-seeds.js')
  // What the members' metrics give is for the caller alone.
  return (await fromSeeds(make as never, data, options as never)) as unknown as Ensemble<Values>
}

/**
 * Several checkpoints of one run as an ensemble, for the price of one training: those of its last epochs, or, with
 * `cosine({ cycles })`, the end of each cycle (Huang et al. 2017, "Snapshot ensembles"). What there is to take
 * {@link checkpoint} decides: `checkpoint({ every: { epochs: 10 }, keep: 'all' })`. Of a run that goes on still those that there
 * are now. The oldest first; they belong to the ensemble: its `dispose` frees them.
 *
 * @param dir - the run's directory
 * @throws GRADUS_INVALID_ARGUMENT where there are fewer than asked for, or none; GRADUS_BAD_FILE for one that is damaged
 * @example const together = await ensemble.fromCheckpoints('runs/mnist', { last: 5 })
 */
ensemble.fromCheckpoints = async (dir: string | URL, options: FromCheckpointsOptions): Promise<Ensemble> =>
  (await import('./from-checkpoints.js')).fromCheckpoints(dir, options)

/**
 * Models from files as an ensemble: the best of a search, or any others. In the order of the list; they belong to the ensemble:
 * its `dispose` frees them.
 *
 * @throws GRADUS_INVALID_ARGUMENT for fewer files than `top`, a file without a score, and one that is listed twice;
 * GRADUS_BAD_FILE naming the file that is missing or damaged
 * @example
 * const together = await ensemble.fromFiles(trials.map(({ file, accuracy }) => ({ file, score: accuracy })), { top: 10 })
 */
ensemble.fromFiles = async (
  files: readonly (string | URL | ScoredFile)[],
  options: FromFilesOptions = {},
): Promise<Ensemble> => (await import('./from-files.js')).fromFiles(files, options)

/** What `ensemble.fromSearch` asks of a study. */
export interface SearchedStudy {
  topFiles(count: number): Promise<readonly ScoredFile[]>
}

/**
 * The best models of a search as an ensemble, best first; they belong to it.
 *
 * @param options - `top`: how many of them, default 10; fewer where fewer trials are complete
 * @throws GRADUS_INVALID_ARGUMENT where no trial keeps a checkpoint; GRADUS_BAD_FILE
 * @example const together = await ensemble.fromSearch(await openStudy('studies/mnist'), { top: 10 })
 */
ensemble.fromSearch = async (
  study: SearchedStudy,
  { top = 10, ...options }: Omit<FromFilesOptions, 'direction'> = {},
): Promise<Ensemble> => (await import('./from-files.js')).fromFiles(await filesOf(study, top), options)

async function filesOf(study: SearchedStudy, top: number): Promise<readonly ScoredFile[]> {
  const isStudy = typeof study?.topFiles === 'function'
  if (!isStudy) throw invalidArgument('study', 'a study, as createStudy and openStudy give it', study)
  return (await study.topFiles(top)).map(({ file, score }) => ({ file, score }))
}

/**
 * Chooses from many members the few that are best together (Caruana et al. 2004, 2006): greedily, members that are picked again
 * counting more, begun with the best few, in bags of some of the members each, so that none wins by chance. A half of the data
 * chooses and the other half reports, as what was chosen by rows looks better on them than it is.
 *
 * Members are combined as the ensemble combines them; its weights and its temperature are left out.
 *
 * @param data - what the members were not trained on
 * @throws those of the data; GRADUS_NOT_COMPILED, GRADUS_BUSY for a member in training, GRADUS_NON_FINITE
 * @example
 * const selection = await select(ensemble(models), validation, { size: 5 })
 * console.log(selection.score, selection.bestMemberScore)
 * await selection.ensemble.evaluate(test)
 */
export async function select<Values extends object = AnyValues>(
  from: Ensemble<Values> | readonly Model<Values>[],
  data: Data,
  options: SelectOptions = {},
): Promise<Selection> {
  const { select } = await import('./select.js')
  return await select(from as never, data, options)
}

/**
 * The same members with the weights that fit data best: where they give probabilities those of greatest likelihood, by
 * expectation maximisation (Dempster, Laird and Rubin 1977); in regression those of the smallest squared error. The members
 * belong to whom they belonged before.
 *
 * @param data - what the members were not trained on
 * @throws those of the data; GRADUS_INVALID_ARGUMENT where the members' probabilities or values are not averaged
 * @example const weighted = await fitWeights(ensemble(models), validation)
 */
export async function fitWeights<Values extends object = AnyValues>(
  from: Ensemble<Values> | readonly Model<Values>[],
  data: Data,
  options: FitWeightsOptions = {},
): Promise<Ensemble<Values>> {
  const { fitWeights } = await import('./fit-weights.js')
  return (await fitWeights(from as never, data, options)) as unknown as Ensemble<Values>
}

/**
 * One model whose weights are the means of the members' weights: as good as their ensemble can be, at the cost of one (Wortsman et
 * al. 2022, "Model soups"). It takes members that one training, or one beginning, has led to: late checkpoints of a run, or
 * the same weights tuned in several ways. The weights of independent trainings mean different things, and their mean nothing.
 *
 * @param data - by which members and means are compared: what they were not trained on
 * @throws GRADUS_WORSE_SOUP with both numbers, where the mean is worse than its best part; GRADUS_SHAPE_MISMATCH or
 * GRADUS_INVALID_ARGUMENT for members of different networks, and with batch norm without `statistics`; those of `evaluate`
 * @example
 * const { members } = await ensemble.fromCheckpoints('runs/mnist', { last: 5 })
 * const model = await soup(members, validation)
 */
export async function soup<Values extends object = AnyValues>(
  members: readonly Model<Values>[],
  data: Data,
  options: SoupOptions = {},
): Promise<Model<Values>> {
  const { soup } = await import('./soup.js')
  return (await soup(members as never, data, options)) as unknown as Model<Values>
}

/**
 * Fits one temperature by which the scores are divided, so that probabilities are as sure as they are right: that of greatest
 * likelihood on data that neither the members nor their choice have seen (Guo, Pleiss, Sun and Weinberger 2017, "On calibration of
 * modern neural networks"). Which class is the likeliest does not change. In float64; from 0.05 to 20, see {@link Calibration.bound}.
 *
 * @param predictor - a model, or an ensemble, whose own temperature is refined; of softmaxCrossEntropy or binaryCrossEntropy
 * @returns an ensemble of the same members with the temperature, which can be evaluated and saved; `calibration` tells what it
 * changed. It owns none of the members
 * @throws GRADUS_INVALID_ARGUMENT for losses without probabilities, GRADUS_INVALID_DATA for examples of one class alone
 * @example
 * const sober = await calibrate(together, validation)
 * console.log(sober.calibration.temperature, sober.calibration.logLoss)
 */
export async function calibrate<Values extends object = AnyValues>(
  predictor: Predictor<Values>,
  data: Data,
  options?: EvaluateOptions,
): Promise<Calibrated<Values>> {
  return (await import('./calibrate.js')).calibrate(predictor, data, options)
}

/**
 * What an ensemble is worth: how good it and each member are, how much members differ, what it gains over the best and the mean
 * member and with each more of them, and how far probabilities are right, before and after a temperature. Each member predicts
 * once. Of quantities errors stand in place of accuracy, and there are no probabilities.
 *
 * @param data - what the members were not trained on, nor chosen by
 * @example
 * const found = await report(together, test)
 * console.log(found)
 * writeFileSync('gain.svg', found.toSvg())
 */
export async function report<Values extends object = AnyValues>(
  ensemble: Ensemble<Values>,
  data: Data,
  options?: ReportOptions,
): Promise<EnsembleReport> {
  return (await import('./report.js')).report(ensemble as Ensemble, data, options)
}
