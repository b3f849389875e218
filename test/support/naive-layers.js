// Layers of images one number at a time, with kernels as Keras lays them out: no padding.

const at = ({ shape: [, width, channels], data }, y, x, c) => data[(y * width + x) * channels + c]

function image(height, width, channels, value) {
  const data = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) data.push(value(y, x, c))
  }
  return { shape: [height, width, channels], data }
}

export const naive = {
  /** Kernel (height, width, channels, filters). */
  conv2d(of, [[height, width, channels, filters], kernel], bias) {
    return image(of.shape[0] - height + 1, of.shape[1] - width + 1, filters, (y, x, f) => {
      let sum = bias[f]
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          for (let c = 0; c < channels; c++) {
            sum += at(of, y + i, x + j, c) * kernel[((i * width + j) * channels + c) * filters + f]
          }
        }
      }
      return sum
    })
  },

  /** Kernel (height, width, channels, multiplier). */
  depthwise(of, [[height, width, channels, multiplier], kernel], bias) {
    return image(of.shape[0] - height + 1, of.shape[1] - width + 1, channels * multiplier, (y, x, f) => {
      const [c, m] = [Math.floor(f / multiplier), f % multiplier]
      let sum = bias ? bias[f] : 0
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          sum += at(of, y + i, x + j, c) * kernel[((i * width + j) * channels + c) * multiplier + m]
        }
      }
      return sum
    })
  },

  /** Kernel (height, width, filters, channels). */
  transposed(of, [[height, width, filters, channels], kernel], bias, stride) {
    const [rows, columns] = [(of.shape[0] - 1) * stride + height, (of.shape[1] - 1) * stride + width]
    const to = image(rows, columns, filters, (_y, _x, f) => bias[f])
    for (let y = 0; y < of.shape[0]; y++) {
      for (let x = 0; x < of.shape[1]; x++) {
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            for (let f = 0; f < filters; f++) {
              for (let c = 0; c < channels; c++) {
                to.data[((y * stride + i) * columns + x * stride + j) * filters + f] +=
                  at(of, y, x, c) * kernel[((i * width + j) * filters + f) * channels + c]
              }
            }
          }
        }
      }
    }
    return to
  },
}
