// What a step of a net of nets.json multiplies and adds.

/** Operations of a batch: forward, and the gradients of weights and, but for the first layer, of inputs. */
export function operationsOf({ input, layers, batch = 128 }) {
  let [height, width, channels] = input
  let products = 2 // of the first layer
  let sum = 0
  for (const text of layers.split(', ')) {
    const [name, first, second, ...options] = text.split(' ')
    const size = Number(first)
    if (name === 'conv') {
      if (options.includes('valid')) {
        height -= Number(second) - 1
        width -= Number(second) - 1
      }
      sum += products * height * width * size * channels * Number(second) ** 2
      channels = size
      products = 3
    } else if (name === 'dense') {
      sum += products * channels * size
      channels = size
      products = 3
    } else if (name === 'pool') {
      height = Math.floor(height / size)
      width = Math.floor(width / size)
    } else if (name === 'flatten') {
      channels *= height * width
    }
  }
  return 2 * batch * sum
}
