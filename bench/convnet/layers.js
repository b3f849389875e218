// What the words of nets.json stand for.

/** The layers of "conv 16 5, relu, pool 2, …", by what the package of a checkout exports. */
export function layersOf({ batchNorm, conv2d, dense, flatten, gelu, globalAveragePool, maxPool2d, relu }, text) {
  const layerOf = {
    conv: (filters, kernel, ...options) =>
      conv2d(Number(filters), Number(kernel), {
        padding: options.includes('valid') ? 'valid' : 'same',
        bias: !options.includes('plain'),
      }),
    norm: (plain) => batchNorm({ gain: plain !== 'plain' }),
    relu,
    gelu,
    pool: (size) => maxPool2d(Number(size)),
    average: () => globalAveragePool(),
    flatten: () => flatten(),
    dense: (units) => dense(Number(units)),
  }
  return text.split(', ').map((layer) => {
    const [name, ...words] = layer.split(' ')
    return layerOf[name](...words)
  })
}
