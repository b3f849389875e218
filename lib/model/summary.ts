/** The model as a table. */
import { checkPositiveInteger } from '../checks.js'
import { formatShape, sizeOf } from '../layers/shape.js'
import { type Descriptor, native } from '../native.js'
import { optionsOf } from '../options.js'
import { defaultBatchSize } from '../train/calls.js'
import { bytesInWords } from '../words.js'
import { hasConvolutions, multiplyAdds, receptiveFields } from './costs.js'
import type { Lowered } from './lower.js'

export interface SummaryOptions {
  /** Says how much memory a step of so many examples takes. Default: of networks with convolutions 32, else it is not said. */
  batchSize?: number | undefined
}
const readOptions = optionsOf<SummaryOptions>()('summary', { batchSize: checkPositiveInteger })

const count = (number: number): string => number.toLocaleString('en-US')

interface TableColumn {
  readonly heading: string
  readonly cells: readonly string[]
  readonly isNumber?: boolean
}

/** `descriptor`: with the loss, where there is one. */
export function summarize(lowered: Lowered, descriptor: Descriptor, options: SummaryOptions): string {
  const { steps } = lowered
  const isOfImages = hasConvolutions(lowered)
  const { batchSize = isOfImages ? defaultBatchSize : undefined } = readOptions(options)
  const sizes = descriptor.parameters.map(({ shape }) => sizeOf(shape))
  const isChain = steps.every(({ inputs }, i) => inputs.length <= 1 && (!i || inputs[0] === steps[i - 1]!.name))
  const costs = isOfImages ? multiplyAdds(lowered) : []
  const columns: TableColumn[] = [
    { heading: 'layer', cells: steps.map(({ name }) => name) },
    { heading: 'output shape', cells: steps.map(({ node }) => formatShape(node.shape)) },
    {
      heading: 'parameters',
      cells: steps.map(({ parameters }) => count(parameters.reduce((sum, number) => sum + sizes[number]!, 0))),
      isNumber: true,
    },
    ...(isOfImages ? [{ heading: 'multiply-adds', cells: costs.map(count), isNumber: true }] : []),
    ...(isOfImages ? [{ heading: 'sees', cells: receptiveFields(lowered).map(inWords) }] : []),
    ...(isChain ? [] : [{ heading: 'takes', cells: steps.map(({ inputs }) => inputs.join(', ')) }]),
  ]
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const trained = sizes.reduce((sum, size, i) => sum + (descriptor.parameters[i]!.trainable ? size : 0), 0)
  const cost = costs.reduce((sum, one) => sum + one, 0)
  return [
    ...table(columns),
    `${count(total)} parameters, ${count(trained)} of them trained`,
    ...(isOfImages ? [`${count(cost)} multiply-adds for an example`] : []),
    ...(batchSize === undefined ? [] : [memoryOf(descriptor, batchSize)]),
  ].join('\n')
}

const inWords = (seen: readonly number[] | 'all'): string => (seen === 'all' ? seen : seen.join('×'))

const memoryOf = (descriptor: Descriptor, batchSize: number): string => {
  const examples = batchSize === 1 ? 'one example' : `${count(batchSize)} examples`
  return `${bytesInWords(native.stepMemory(descriptor, batchSize))} for a step of ${examples}`
}

/** The model in a line: what goes in, what comes out, its size. */
export function titleOf({ descriptor, inputs }: Lowered, outputShape: readonly number[], isDisposed: boolean): string {
  const from = inputs.map(({ name, shape }) => (inputs.length > 1 ? `${name} ` : '') + formatShape(shape))
  const total = descriptor.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const size = `${total} parameters${isDisposed ? ', disposed' : ''}`
  return `Model(${from.join(', ')} → ${formatShape(outputShape)}, ${size})`
}

/** Columns as wide as their widest cell, those of numbers aligned to the right, a rule under the heading and at the end. */
function table(columns: readonly TableColumn[]): string[] {
  const widths = columns.map(({ heading, cells }) => Math.max(...[heading, ...cells].map((cell) => cell.length)))
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.isNumber ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
  const rows = columns[0]!.cells.map((_, row) => lineOf(columns.map(({ cells }) => cells[row]!)))
  return [lineOf(columns.map(({ heading }) => heading)), rule, ...rows, rule]
}
