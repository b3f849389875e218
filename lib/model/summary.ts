/** The model as a table. */
import { formatShape, sizeOf } from '../layers/shape.js'
import type { Lowered } from './lower.js'

const count = (number: number): string => number.toLocaleString('en-US')

export function summarize({ descriptor, steps }: Lowered): string {
  const sizes = descriptor.parameters.map(({ shape }) => sizeOf(shape))
  const isChain = steps.every(({ inputs }, i) => inputs.length <= 1 && (!i || inputs[0] === steps[i - 1]!.name))
  const rows = steps.map(({ name, node, inputs, parameters }) => [
    name,
    formatShape(node.shape),
    count(parameters.reduce((sum, number) => sum + sizes[number]!, 0)),
    ...(isChain ? [] : [inputs.join(', ')]),
  ])
  const heading = ['layer', 'output shape', 'parameters', ...(isChain ? [] : ['takes'])]
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const trained = sizes.reduce((sum, size, i) => sum + (descriptor.parameters[i]!.trainable ? size : 0), 0)
  const last = `${count(total)} parameters, ${count(trained)} of them trained`
  return [...table([heading, ...rows]), last].join('\n')
}

/** The model in a line: what goes in, what comes out, its size. */
export function titleOf({ descriptor, inputs }: Lowered, outputShape: readonly number[], isDisposed: boolean): string {
  const from = inputs.map(({ name, shape }) => (inputs.length > 1 ? `${name} ` : '') + formatShape(shape))
  const total = descriptor.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const size = `${total} parameters${isDisposed ? ', disposed' : ''}`
  return `Model(${from.join(', ')} → ${formatShape(outputShape)}, ${size})`
}

/** Columns as wide as their widest cell, the third aligned to the right, a rule under the heading and at the end. */
function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[2]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
  return [lines[0]!, rule, ...lines.slice(1), rule]
}
