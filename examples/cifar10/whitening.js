// What layers begin with. The first one: what makes patches of natural images uncorrelated, found from them rather than trained. Each direction
// comes twice, the second time with the other sign (Jordan 2024).

/** Weights (size, size, channels, 2 · size² · channels) of bytes (rows, height, width, channels) with a scale and an offset a channel. */
export function whitening({ data, shape: [rows, height, width, channels] }, { scale, offset }, size, epsilon = 5e-4) {
  const n = size * size * channels
  const covariance = Array.from({ length: n }, () => new Float64Array(n))
  const patch = new Float64Array(n)
  let count = 0
  for (let row = 0; row < Math.min(rows, 5000); row++) {
    for (let y = 0; y + size <= height; y += 3) {
      for (let x = 0; x + size <= width; x += 3, count++) {
        for (let i = 0; i < n; i++) {
          const [pixel, channel] = [Math.floor(i / channels), i % channels]
          const at = ((row * height + y + Math.floor(pixel / size)) * width + x + (pixel % size)) * channels + channel
          patch[i] = scale[channel] * data[at] + offset[channel]
        }
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) covariance[i][j] += patch[i] * patch[j]
      }
    }
  }
  for (const line of covariance) for (let j = 0; j < n; j++) line[j] /= count
  const { values, vectors } = eigenvectors(covariance)
  const weights = new Float32Array(n * 2 * n)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const weight = vectors[i][k] / Math.sqrt(values[k] + epsilon)
      weights[i * 2 * n + k] = weight
      weights[i * 2 * n + n + k] = -weight
    }
  }
  return weights
}

/** Of a 3×3 convolution as many filters as there are inputs let each pass; the others stay as they are (Jordan 2024). */
export function beginAsIdentity(data, [, , inputs, filters]) {
  const middle = 4 * inputs * filters
  for (let filter = 0; filter < Math.min(inputs, filters); filter++) {
    for (let at = filter; at < data.length; at += filters) data[at] = 0
    data[middle + filter * filters + filter] = 1
  }
}

/** Of a symmetric matrix, by Jacobi's rotations; the vectors are columns. */
function eigenvectors(matrix) {
  const n = matrix.length
  const a = matrix.map((line) => [...line])
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j)))
  for (let sweep = 0; sweep < 50; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-15) continue
        const theta = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2
        const [c, s] = [Math.cos(theta), Math.sin(theta)]
        for (const m of [a, vectors]) {
          for (const line of m) [line[p], line[q]] = [c * line[p] - s * line[q], s * line[p] + c * line[q]]
        }
        for (let k = 0; k < n; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]]
      }
    }
  }
  return { values: a.map((line, i) => line[i]), vectors }
}
