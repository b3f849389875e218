/** How images are changed in training: new examples out of those there are. */
import { type Call, callOf, checkMade, factory } from '../call.js'
import {
  checkBoolean,
  checkFinite,
  checkNotNegative,
  checkPositive,
  checkPositiveInteger,
  checkShareOrEnd,
  oneOf,
} from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { NativeAugmentation } from '../native.js'
import { needed, optionsOf } from '../options.js'

/** What lies beyond an image's edges: the number 0, the image mirrored at its outermost pixels, or those on and on. */
export type Fill = NativeAugmentation['fill']

/** Made by {@link randomCrop} and its kin, for `augment` in `fit`. */
export interface Augmentation {
  readonly call: Call
  /** What lies beyond the edges, where that matters. */
  readonly fill?: Fill | undefined
  /** Whether examples are mixed, and so their targets. */
  readonly mixes: boolean
  /** The core's. */
  readonly native: NativeAugmentation['transforms'][number]
}

const made = (
  name: string,
  options: object,
  native: object,
  more: { fill?: Fill | undefined; mixes?: boolean | undefined } = {},
) =>
  ({
    call: Object.keys(options).length === 0 ? callOf(name) : callOf(name, options),
    mixes: false,
    native: { kind: name, ...native },
    ...more,
  }) as Augmentation

const isAugmentation = (value: unknown): value is Augmentation =>
  typeof value === 'object' && value !== null && 'native' in value && 'mixes' in value

const checkFill = oneOf('zero', 'reflect', 'edge')

export interface RandomCropOptions {
  /** Pixels by which the image moves at most, in each direction. */
  padding: number
  /** Default `'zero'`: zeros, as the network sees them. */
  fill?: Fill | undefined
}

const readCrop = optionsOf<RandomCropOptions>()('randomCrop', {
  padding: needed(checkPositiveInteger),
  fill: [checkFill, 'zero'],
})

/**
 * Moves the image by −padding to padding pixels, down and to the right by one whole number each: a piece of its own size out of the
 * image with a frame of `padding` pixels.
 * @function
 */
export const randomCrop = factory('randomCrop', 1, (options: RandomCropOptions): Augmentation => {
  const { padding, fill } = readCrop(options)
  return made('randomCrop', { padding, fill }, { padding }, { fill })
})

export interface RandomFlipOptions {
  /** Top and bottom change places as well, by a coin of its own. Default false. */
  vertical?: boolean | undefined
}

const readFlip = optionsOf<RandomFlipOptions>()('randomFlip', { vertical: [checkBoolean, false] })

/** Mirrors every other image by chance, left and right. @function */
export const randomFlip = factory('randomFlip', 1, (options: RandomFlipOptions = {}): Augmentation => {
  const { vertical } = readFlip(options)
  return made('randomFlip', vertical ? { vertical } : {}, { vertical })
})

/**
 * Mirrors each image in every other epoch: a coin an image says in which it begins, so that any two epochs in a row have both sides
 * of all (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024).
 * @function
 */
export const alternatingFlip = factory('alternatingFlip', 0, (): Augmentation => made('alternatingFlip', {}, {}))

export interface RandomAffineOptions {
  /** Degrees by which the image turns at most, either way, up to 180. Default 0. */
  rotation?: number | undefined
  /** How many times as large it becomes: from the first to the second number; s stands for 1 − s to 1 + s. Default 0. */
  scale?: number | readonly [number, number] | undefined
  /** Pixels by which it moves at most, in each direction. Default 0. */
  shift?: number | undefined
  /** Default `'zero'`: zeros, as the network sees them. */
  fill?: Fill | undefined
}

const readAffine = optionsOf<RandomAffineOptions>()('randomAffine', {
  rotation: [checkRotation, 0],
  scale: [checkScaleRange, [1, 1]],
  shift: [checkNotNegative, 0],
  fill: [checkFill, 'zero'],
})

function checkRotation(argument: string, value: unknown): number {
  const degrees = checkFinite(argument, value)
  if (degrees < 0 || degrees > 180) throw invalidArgument(argument, 'degrees from 0 to 180', value)
  return degrees
}

function checkScaleRange(argument: string, value: unknown): [number, number] {
  const range = typeof value === 'number' ? [1 - value, 1 + value] : value
  const isRange = Array.isArray(range) && range.length === 2 && range.every(Number.isFinite)
  const [least, most] = (isRange ? range : [0, 0]) as [number, number]
  if (least >= 2 ** -9 && least <= most && most <= 512) return [least, most]
  throw invalidArgument(argument, 'a number below 1, or [least, most] times as large', value)
}

/**
 * Turns and scales the image about its centre and moves it, each by a number drawn evenly from its range; pixels come from the
 * lines between the four nearest centres.
 * @function
 */
export const randomAffine = factory('randomAffine', 1, (options: RandomAffineOptions): Augmentation => {
  const { rotation, scale, shift, fill } = readAffine(options)
  const [leastScale, mostScale] = scale as [number, number]
  const given = { rotation, scale: [leastScale, mostScale], shift, fill }
  return made('randomAffine', given, { rotation, leastScale, mostScale, shift }, { fill })
})

/**
 * Makes a square of the image 0, as the network sees it, about a pixel drawn anywhere, as far as it lies within the image (DeVries
 * and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017). After all that moves the image.
 *
 * @param size pixels of a side
 * @function
 */
export const cutout = factory('cutout', 1, (size: number): Augmentation => {
  checkPositiveInteger('cutout: size', size)
  return { ...made('cutout', {}, { size }), call: callOf('cutout', size) }
})

export interface ColorJitterOptions {
  /** Bytes times 1 − it to 1 + it, drawn evenly; at most 1. Default 0. */
  brightness?: number | undefined
  /** Their distance from the image's mean grey, likewise. Default 0. */
  contrast?: number | undefined
  /** Their distance from the pixel's grey, likewise; of images of 3 channels. Default 0. */
  saturation?: number | undefined
}

const readJitter = optionsOf<ColorJitterOptions>()('colorJitter', {
  brightness: [checkShareOrEnd, 0],
  contrast: [checkShareOrEnd, 0],
  saturation: [checkShareOrEnd, 0],
})

/**
 * Changes brightness, contrast and saturation, in this order, of images of bytes with 1 or 3 channels (red, green, blue); what
 * leaves 0 to 255 is held there. Grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).
 * @function
 */
export const colorJitter = factory('colorJitter', 1, (options: ColorJitterOptions): Augmentation => {
  const jitter = readJitter(options)
  return made('colorJitter', jitter, jitter)
})

export interface MixOptions {
  /** Of the beta distribution that the shares are drawn from: 1: evenly; less: one of the two prevails. Up to 1000. Default 1. */
  alpha?: number | undefined
}

const mixRules = { alpha: [checkAlpha, 1] } as const
const readMixup = optionsOf<MixOptions>()('mixup', mixRules)
const readCutmix = optionsOf<MixOptions>()('cutmix', mixRules)

function checkAlpha(argument: string, value: unknown): number {
  const alpha = checkPositive(argument, value)
  if (alpha < 0.01 || alpha > 1000) throw invalidArgument(argument, 'a number from 0.01 to 1000', value)
  return alpha
}

/**
 * Mixes each image, changed as all others, with another one of the data: share · own + (1 − share) · other, and so the loss of their
 * targets (Zhang et al., "mixup: beyond empirical risk minimization", 2018). The share is the larger part of what Beta(alpha,
 * alpha) gives, so that metrics, which count the own label, count that of the larger part. For data in memory.
 * @function
 */
export const mixup = factory('mixup', 1, (options: MixOptions = {}): Augmentation => {
  const { alpha } = readMixup(options)
  return made('mixup', { alpha }, { alpha }, { mixes: true })
})

/**
 * Puts a rectangle of another image, changed as all others, into each one, about a pixel drawn anywhere and as far as it lies within;
 * the targets' shares are those of the areas (Yun et al., "CutMix: regularization strategy to train strong classifiers with
 * localizable features", 2019). The rest is as of {@link mixup}.
 * @function
 */
export const cutmix = factory('cutmix', 1, (options: MixOptions = {}): Augmentation => {
  const { alpha } = readCutmix(options)
  return made('cutmix', { alpha }, { alpha }, { mixes: true })
})

const factories = {
  ...{ randomCrop, randomFlip, alternatingFlip, randomAffine, cutout, colorJitter, mixup, cutmix },
}

/** A list as `augment` takes it. */
export function checkAugment(argument: string, value: unknown): readonly Augmentation[] {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array, as [randomCrop({ padding: 4 })]', value)
  const most = 64
  if (value.length > most) throw invalidArgument(argument, `at most ${most} of them`, value)
  const list = value.map((one, i) =>
    checkMade(`${argument}[${i}]`, 'a change such as randomCrop({ padding: 4 })', one, isAugmentation, factories),
  )
  const nameOf = ({ call }: Augmentation) => call[0]
  const mixing = list.filter(({ mixes }) => mixes).map(nameOf)
  if (mixing.length > 1) throw several(argument, 'mixup or cutmix once', mixing)
  const jitters = list.map(nameOf).filter((name) => name === 'colorJitter')
  if (jitters.length > 1) throw several(argument, 'colorJitter once', jitters)
  const fills = [...new Set(list.flatMap(({ fill = [] }) => fill))]
  if (fills.length > 1) throw several(argument, 'one fill in all of randomCrop and randomAffine', fills)
  return list
}

function several(argument: string, expected: string, received: readonly string[]): GradusError {
  const message = `${argument}: expected ${expected}, received ${received.join(' and ')}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** The same for the core; undefined for an empty list. */
export function nativeAugmentation(list: readonly Augmentation[]): NativeAugmentation | undefined {
  if (list.length === 0) return undefined
  const [fill = 'zero'] = list.flatMap(({ fill: own = [] }) => own)
  return { fill, transforms: list.map(({ native }) => native) }
}
