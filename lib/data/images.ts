/** Pictures in files, read by the package `sharp`: PNG, JPEG, WebP, GIF, TIFF and what else it knows. */
import { checkPositiveInteger, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { badFile, type FileSource, fileError } from '../files.js'
import { optionsOf } from '../options.js'
import { product, type Table } from './column.js'
import { optionalPackage, type ReadOptions, readBytes, readRules, tooManyBytes } from './file.js'

export interface ImagesOptions extends ReadOptions {
  /** Pixels that all images are resized to, with `width`. Default: as they are, and then all must be of one size. */
  height?: number | undefined
  width?: number | undefined
  /**
   * What resizing does with images of other proportions: `'stretch'` gives up the proportions, `'crop'` what lies beyond the middle.
   * Default `'stretch'`.
   */
  fit?: 'stretch' | 'crop' | undefined
  /** 1 makes all images grey, 3 red, green and blue. Default: as the first file is, and then so must be all. */
  channels?: 1 | 3 | undefined
}

const readOptions = optionsOf<ImagesOptions>()('readImages', {
  height: checkPositiveInteger,
  width: checkPositiveInteger,
  fit: oneOf('stretch', 'crop'),
  channels: checkChannels,
  ...readRules,
})

function checkChannels(argument: string, value: unknown): 1 | 3 {
  if (value === 1 || value === 3) return value
  throw invalidArgument(argument, '1 (grey) or 3 (red, green, blue)', value)
}

/** What is used of sharp, which need not be there when this is compiled. */
interface Picture {
  metadata(): Promise<{ depth: string; hasAlpha: boolean; space: string }>
  stats(): Promise<{ isOpaque: boolean }>
  autoOrient(): Picture
  removeAlpha(): Picture
  resize(width: number, height: number, options: { fit: 'fill' | 'cover' }): Picture
  toColourspace(space: 'b-w' | 'srgb'): Picture
  raw(): Picture
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: Size }>
}
type Sharp = (bytes: Uint8Array, options: { failOn: 'error'; limitInputPixels: number }) => Picture

interface Size {
  height: number
  width: number
  channels: number
}

type Read = ReturnType<typeof readOptions>

/** A file of the list: its number, for errors. */
interface Place {
  readonly file: FileSource
  readonly index: number
}

/** As many as Node.js works on at once unless told; more would only wait, with their pixels. */
const atOnce = 4

/**
 * Reads pictures, one file each, by the package `sharp` (`npm install sharp`), off the main thread and a few at a time: beside the
 * result there are never more than four images in memory.
 *
 * Pixels are bytes, turned upright where the file says how the camera was held; colours are those of sRGB, of animations it is the
 * first picture. Sizes are changed by Lanczos's filter as `sharp` has it: other versions of it may give other bytes.
 *
 * @returns bytes, [files, height, width, channels], with 1 channel or 3, in the order of the files
 * @throws `GRADUS_BAD_FILE` names the file that is no image, has 16 bits a channel, is transparent in parts, or has not the size or
 * the channels of the first; `GRADUS_MISSING_PACKAGE` without `sharp`.
 * @example
 * const x = await readImages(['cat.jpg', 'dog.png'], { height: 64, width: 64, channels: 3 }) // [2, 64, 64, 3]
 */
export async function readImages(
  files: FileSource | readonly FileSource[],
  options?: ImagesOptions,
): Promise<Table & { data: Uint8Array; shape: number[] }> {
  const read = readOptions(options)
  checkSizes(read)
  const list: readonly FileSource[] = Array.isArray(files) ? files : [files as FileSource]
  if (list.length === 0) throw invalidArgument('files', 'at least one file', files)
  const sharp = await optionalPackage('sharp', 'readImages', loadSharp)
  const [file] = list as [FileSource]
  const first = await decoded(sharp, { file, index: 0 }, read)
  const { height, width, channels } = first.info
  const shape = [list.length, height, width, channels]
  const data = bytesFor(shape)
  data.set(first.data)
  await forEachOf(list, 1, async (place) => {
    const { data: pixels, info } = await decoded(sharp, place, read)
    checkAlike(place, info, first.info)
    data.set(pixels, place.index * first.data.length)
  })
  return { data, shape }
}

function checkSizes({ height, width, fit }: Read): void {
  if ((height === undefined) !== (width === undefined)) {
    const [given, other] = width === undefined ? ['height', 'width'] : ['width', 'height']
    const message = `${other}: expected a number of pixels beside ${given}, received undefined`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: other })
  }
  if (fit === undefined || height !== undefined) return
  const message = `fit: expected height and width beside it, received neither`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'fit' })
}

/** Bundlers leave this alone, esbuild because the failure is caught: sharp brings its own binary, and is looked for where the program runs. */
async function loadSharp(): Promise<Sharp> {
  const name: string = 'sharp'
  const { default: sharp } = await import(/* webpackIgnore: true */ /* @vite-ignore */ name).catch(thrown)
  return sharp
}

function thrown(error: unknown): never {
  throw error
}

function bytesFor(shape: readonly number[]): Uint8Array {
  try {
    return new Uint8Array(product(shape))
  } catch (error) {
    const message = `files: there is no memory for ${shape[0]} images of ${sizeOf(shape.slice(1))}`
    throw new GradusError('GRADUS_OUT_OF_MEMORY', message, { cause: error })
  }
}

/** Works on the files from `first` on, a few at a time. Of several errors it throws that of the first file. */
async function forEachOf(
  files: readonly FileSource[],
  first: number,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  const failed: { index: number; error: unknown }[] = []
  let next = first
  const worker = async () => {
    while (next < files.length && failed.length === 0) {
      const index = next++
      await work({ file: files[index]!, index }).catch((error) => failed.push({ index, error }))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const [earliest] = failed.sort((a, b) => a.index - b.index)
  if (earliest) throw earliest.error
}

/** One image as bytes of 1 or 3 channels, of the size that was asked for or its own. */
async function decoded(sharp: Sharp, place: Place, read: Read): Promise<{ data: Uint8Array; info: Size }> {
  const { file, index } = place
  const bytes = await readBytes(file, read.maxBytes)
  // Four bytes a pixel at most; of 0 pixels sharp would take as many as there are.
  const open = () => sharp(bytes, { failOn: 'error', limitInputPixels: Math.max(1, Math.floor(read.maxBytes / 4)) })
  try {
    const { depth, hasAlpha, space } = await open().metadata()
    if (depth !== 'uchar')
      throw badFile(file, `files[${index}] has ${depthInWords(depth)}, not bytes; convert it first`)
    if (hasAlpha && !(await open().stats()).isOpaque) {
      throw badFile(file, `files[${index}] is transparent in parts; put it on a background first`)
    }
    const channels = read.channels ?? (space === 'b-w' ? 1 : 3)
    let picture = open().autoOrient().removeAlpha()
    if (read.height !== undefined && read.width !== undefined) {
      picture = picture.resize(read.width, read.height, { fit: read.fit === 'crop' ? 'cover' : 'fill' })
    }
    const colours = picture.toColourspace(channels === 1 ? 'b-w' : 'srgb')
    return await colours.raw().toBuffer({ resolveWithObject: true })
  } catch (error) {
    throw imageError(place, error, read.maxBytes)
  }
}

const depthInWords = (depth: string): string =>
  depth === 'ushort' || depth === 'short' ? '16 bits a channel' : `channels of type ${depth}`

/** What sharp says in its words. */
function imageError({ file, index }: Place, error: unknown, maxBytes: number): GradusError {
  if (error instanceof GradusError) return error
  const said = String((error as Error | undefined)?.message ?? error)
  if (/pixel limit/.test(said)) return tooManyBytes(file, maxBytes)
  if (/allocation failed|out of memory/i.test(said)) return fileError(file, error)
  if (!/unsupported image format|is empty/i.test(said)) {
    return badFile(file, `files[${index}] is damaged (${said.split('\n')[0]})`, error)
  }
  return badFile(file, `files[${index}] is not an image that sharp reads`, error)
}

function checkAlike({ file, index }: Place, own: Size, first: Size): void {
  if (own.height !== first.height || own.width !== first.width) {
    const [here, there] = [own, first].map(({ height, width }) => `${height}×${width}`)
    throw badFile(file, `files[${index}] is ${here} pixels, files[0] ${there}; give height and width to resize them`)
  }
  if (own.channels !== first.channels) {
    const [here, there] = [own, first].map(({ channels }) => (channels === 1 ? 'grey' : 'in colours'))
    throw badFile(file, `files[${index}] is ${here}, files[0] ${there}; give channels: 1 or 3 to convert them`)
  }
}

const sizeOf = (shape: readonly number[]): string => shape.join('×')
