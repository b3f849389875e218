/** What the rules ask of a recording: levels, ratios and shares, each made once. */
import { short } from '../../words.js'
import type { EpochEntry, LayerSeries, Recording, TensorSeries } from '../recording/recording.js'
import { baselinesOf } from './chance.js'
import { largest, median, part, smallest } from './curve.js'
import type { Since } from './finding.js'

/** Steps at the begin of a run whose updates show whether weights are thrown away. */
const firstSteps = 5
/** A handful of weights may be small by chance, and then soon are others. */
const fewestElements = 64
/** Below, there is too little to say how a run goes: steps, and records of them. */
export const enoughSteps = 50
const enoughRecords = 5
export const enoughEpochs = 5

/** A trained matrix; biases and gains start at 0 or 1, so that their ratios say nothing. */
export interface Matrix {
  readonly name: string
  readonly shape: readonly number[]
  readonly series: TensorSeries
  /** ‖Δw‖ / ‖w‖ at the first steps, and in the middle of all. */
  readonly earlyRatio: number
  readonly ratio: number
}

type Layer = LayerSeries['layers'][number]

export class Picture {
  readonly recording: Recording
  readonly matrices: readonly Matrix[]
  /** Of the larger matrices, the middle one at the first steps; NaN where there is none. */
  readonly earlyRatio: number
  /** Of the matrices, the middle one over the whole run; 0 where none moves. */
  readonly ratio: number
  /** As `ratio`, in the quarter of the run in which it is largest: a schedule brings it down. */
  readonly fastestRatio: number
  /** Chance level: the loss of the best constant prediction, in training and in validation; null where not known. */
  readonly chance: number | null
  readonly validationChance: number | null
  /** The loss of an untrained model, which guesses evenly; null where not known. */
  readonly start: number | null
  /** The least loss that there is: over 0 where targets are smoothed. */
  readonly least: number
  /** Whether the training loss weighs its examples: then it cannot be compared with the validation loss. */
  readonly isWeighted: boolean
  /** What training began at. */
  readonly first: number
  /** What the loss is measured by: chance level, else what training began at; NaN where a loss may be negative. */
  readonly base: number
  /** The loss of late, over the last tenth of the steps. */
  readonly level: number
  /** Share of the recorded steps that were refused. */
  readonly refusedShare: number

  constructor(recording: Recording) {
    this.recording = recording
    const { steps } = recording
    this.matrices = steps.tensors.filter(isMoved).map((series) => ({
      name: series.name,
      shape: series.shape,
      series,
      earlyRatio: median(series.ratio.subarray(0, firstSteps)),
      ratio: median(series.ratio),
    }))
    const large = this.matrices.filter(({ shape }) => elementsOf(shape) >= fewestElements)
    this.earlyRatio = median(large.map(({ earlyRatio }) => earlyRatio))
    // Where nobody recorded the tensors, the epochs tell of all weights together.
    const { tensors } = steps
    this.ratio = tensors.length
      ? middle(this.matrices.map(({ ratio }) => ratio))
      : median(this.epochs.map(({ updateRatio }) => Number(updateRatio)))
    const quarters = [0, 1, 2, 3].map((q) =>
      middle(this.matrices.map(({ series }) => median(part(series.ratio, q / 4, (q + 1) / 4)))),
    )
    this.fastestRatio = tensors.length ? largest(quarters) : this.ratio
    const { chance, validationChance, start, least } = baselinesOf(recording)
    this.chance = chance
    this.validationChance = validationChance
    this.start = start
    this.least = least
    const { info } = recording
    this.isWeighted = info.options.classWeights !== undefined || info.targets?.isWeighted === true
    // One batch may be easy by luck.
    this.first = largest(steps.lossMost.subarray(0, 3))
    this.base = this.chance ?? (smallest(steps.lossLeast) >= 0 ? this.first : Number.NaN)
    this.level = median(part(steps.loss, 0.9, 1))
    const { refused } = steps
    this.refusedShare = refused.length ? refused.reduce((a, b) => a + b, 0) / refused.length : 0
  }

  /** Steps from the first to the last that was recorded. */
  get span(): number {
    const { step, lastStep } = this.recording.steps
    return step.length ? lastStep + 1 - step[0]! : 0
  }

  /** Whether somebody looked at each step; else there are the epochs alone, and the first loss is that of a whole one. */
  get isRecorded(): boolean {
    return this.recording.steps.tensors.length > 0
  }

  get hasEnoughSteps(): boolean {
    const accepted = 1 - this.refusedShare
    return accepted * this.span >= enoughSteps && accepted * this.recording.steps.count >= enoughRecords
  }

  /** How much an update changes the weights, in words; in the unit of the chart. */
  get updates(): string {
    const early = this.earlyRatio >= 0 ? `, ${short(this.earlyRatio)} at first` : ''
    return `update-to-weight ratio ${short(this.ratio)}${early}`
  }

  /** How much of the way from `base` down to the least loss is left at this one. */
  shareLeft(loss: number): number {
    return (loss - this.least) / (this.base - this.least)
  }

  /** Whether after all these steps the loss is still about chance level. */
  get isStuck(): boolean {
    return this.hasEnoughSteps && this.shareLeft(this.level) >= 0.9
  }

  /** By what single batches are measured: rare classes bring chance level far below what one of them loses. */
  get ceiling(): number {
    return Math.max(this.base, this.start ?? this.base)
  }

  /**
   * How far the validation loss may be off by the luck of the split, as a share of it: two standard errors, of a mean to which
   * the examples of a rare class add most.
   */
  get validationDoubt(): number {
    const { validationTargets, validationExamples } = this.recording.info
    const counts = validationTargets?.classCounts
    const rows = validationTargets?.rows ?? validationExamples ?? Number.POSITIVE_INFINITY
    const others = counts ? counts.reduce((a, b) => a + b, 0) - Math.max(0, largest(counts)) : 0
    return Math.min(1, 2 / Math.sqrt(others || rows))
  }

  /** How many times a weighted training loss may be below the same loss without weights. */
  get weightRatio(): number {
    if (!this.isWeighted) return 1
    const weights = (this.recording.info.options.classWeights ?? []).filter((weight) => weight > 0)
    return weights.length ? largest(weights) / smallest(weights) : Number.POSITIVE_INFINITY
  }

  /** Chance level, or what training began at, in words. */
  get baseName(): string {
    return this.chance === null ? 'the loss at the start' : 'chance level'
  }

  /** Epochs with a loss; of those with validation the same. */
  get epochs(): readonly EpochEntry[] {
    return this.recording.epochs.filter(({ loss }) => Number.isFinite(loss))
  }

  get validated(): readonly (EpochEntry & { valLoss: number })[] {
    return this.epochs.filter((epoch): epoch is EpochEntry & { valLoss: number } => Number.isFinite(epoch.valLoss))
  }

  /** The kind of optimizer. */
  get optimizer(): string {
    return this.recording.info.descriptor.optimizer?.kind ?? ''
  }

  /** Layers whose values are looked at, the last one apart: it gives the scores. */
  get hiddenLayers(): readonly Layer[] {
    return this.recording.layers.layers.slice(0, -1)
  }

  /** Layers of relus, each with the share that is dead of late. */
  get relus(): readonly (Layer & { readonly share: number })[] {
    const relus = this.recording.layers.layers.filter(({ op }) => op === 'relu')
    return relus.map((layer) => ({ ...layer, share: median(layer.dead.subarray(-3)) }))
  }

  /** Whether a layer has so few living units that next to nothing passes. */
  get isCutByDeadRelus(): boolean {
    return this.relus.some(({ share }) => share > 0.985)
  }

  /** The step and the epoch it lies in. */
  at(step: number): Since {
    const { epochs } = this.recording
    const running = epochs.find((epoch) => epoch.step > step)
    return { step, epoch: running?.epoch ?? (epochs.at(-1)?.epoch ?? 0) + 1 }
  }

  /** From a bucket of the steps on. */
  atBucket(bucket: number): Since {
    return this.at(this.recording.steps.step[Math.max(0, bucket)] ?? 0)
  }

  /** From the n-th look at the layers on. */
  atLook(look: number): Since {
    return this.at(this.recording.layers.step[Math.max(0, look)] ?? 0)
  }
}

const elementsOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

const middle = (ratios: readonly number[]) => (ratios.length ? median(ratios) : 0)

/** A matrix that is trained, not held by a multiplier of 0. */
const isMoved = ({ shape, ratio }: TensorSeries): boolean => shape.length > 1 && ratio.some((value) => value > 0)
