/** Examples as users give them: plain arrays by what they are for. */
import { invalidArgument } from '../errors.js'
import { type ColumnData, isColumn } from './column.js'

/** Examples as plain arrays. What is not copied yet must not be changed or transferred until the call is done. */
export interface Examples {
  /**
   * The inputs: one column for a model with one input, else a record of columns by the inputs' names. A typed array is
   * cut into examples of the model's input shape. A `Uint8Array` stays 8-bit in memory and means v/255, unless
   * `{ data, scale, offset }` says otherwise; other numbers become the model's dtype.
   *
   * The first data that a model trains on settle what the numbers of each input mean, for good and in its file, so that the
   * same pixels give the same predictions however they come. After bytes, whole numbers from 0 to 255 are bytes as well, and
   * numbers within the bytes' range (0 to 1) are scaled already; what could be both (nothing but 0 and 1) or is neither, is
   * refused, unless `{ data, scale: 1 }` says that numbers stand for themselves. After whole numbers from 0 to 255, bytes
   * stand for themselves; after fractions from 0 to 1, for v/255; after others they need a scale.
   */
  x: ColumnData | Record<string, ColumnData>
  /**
   * The targets: class numbers, numbers shaped as the model's output, true and false (1 and 0), or the name of each example's
   * class (`['cat', 'dog', …]`). Bytes mean themselves here. Names become the numbers of `classes`.
   */
  y?: ColumnData | readonly string[] | undefined
  /**
   * The classes by name: class c is `classes[c]`. Default, where `y` holds names: those that occur, sorted by their
   * UTF-16 codes. A part that may lack some of the classes needs the list of all of them.
   */
  classes?: readonly string[] | undefined
  /**
   * One weight from 0 up for each example: how much it counts in the loss and in the metrics. Default 1.
   * Not all may be 0; a batch whose weights are, has the loss 0 and the gradient of the regularisers alone.
   */
  sampleWeights?: ColumnData | undefined
}

/** Examples whose targets are numbers: what names of classes have become. */
export interface NumberedExamples extends Examples {
  y?: ColumnData | undefined
}

/** An object with an x, at least. */
export function checkExamples(argument: string, examples: unknown): void {
  if (typeof examples !== 'object' || examples === null || !('x' in examples)) {
    throw invalidArgument(argument, 'examples as { x, y }', examples)
  }
}

/** The inputs by the names that errors give them: `x`, or `x.left` and `x.right`. */
export function inputColumns(x: Examples['x']): [string, ColumnData][] {
  if (isColumn(x)) return [['x', x]]
  return Object.entries(x ?? {}).map(([name, data]): [string, ColumnData] => [`x.${name}`, data])
}
