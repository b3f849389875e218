// What becomes of images by the definitions in native/engine/augmentation.cc, one number at a time: an oracle.
import { philox } from './philox.js'

const streamOf = (number) => 2 ** 31 - 3 - number
const words = (seed, number, epoch, row, block = 0) =>
  philox({ seed, stream: streamOf(number), step: epoch }, row * 64 + block)
const below = (word, n) => Number((BigInt(word) * BigInt(n)) >> 32n)
const unit = (word) => (word + 0.5) / 2 ** 32
const between = (word, low, high) => low + (high - low) * unit(word)

/** The pixel that stands for pixel i of n; null for zeros. */
function pixelFor(i, n, fill) {
  if (i >= 0 && i < n) return i
  if (fill === 'zero') return null
  if (fill === 'edge') return i < 0 ? 0 : n - 1
  return pixelFor(i < 0 ? -i : 2 * (n - 1) - i, n, fill)
}

/** Images are functions of row, column and channel; beyond its edges one has what `fill` says. */
const steps = {
  randomCrop({ padding }, [down, right]) {
    const moved = (word) => below(word, 2 * padding + 1) - padding
    return (at) => (i, j, c) => at(i + moved(down), j + moved(right), c)
  },
  randomFlip({ vertical }, [w0, w1], { height, width }) {
    const flips = [vertical && w1 >= 2 ** 31, w0 >= 2 ** 31]
    return (at) => (i, j, c) => at(flips[0] ? height - 1 - i : i, flips[1] ? width - 1 - j : j, c)
  },
  alternatingFlip(_, __, { width, seed, number, epoch, row }) {
    const coin = words(seed, number, 0, row)[0] >= 2 ** 31
    const isTurned = epoch % 2 === 0 ? coin : !coin
    return (at) => (i, j, c) => at(i, isTurned ? width - 1 - j : j, c)
  },
  randomAffine({ rotation, leastScale, mostScale, shift }, [w0, w1, w2, w3], { height, width }) {
    const angle = (between(w0, -rotation, rotation) * Math.PI) / 180
    const scale = between(w1, leastScale, mostScale)
    const [down, right] = [between(w2, -shift, shift), between(w3, -shift, shift)]
    const centre = [(height - 1) / 2, (width - 1) / 2]
    const [sine, cosine] = [Math.sin(angle) / scale, Math.cos(angle) / scale]
    return (at) => (i, j, c) => {
      const [y, x] = [i - centre[0] - down, j - centre[1] - right]
      return at(centre[0] + cosine * y + sine * x, centre[1] - sine * y + cosine * x, c)
    }
  },
}

/** An image at any place: on the lines between pixels. */
function readAt(numbers, { height, width, channels }, fill) {
  const pixel = (i, j, c) => {
    const [row, column] = [pixelFor(i, height, fill), pixelFor(j, width, fill)]
    return row === null || column === null ? 0 : numbers[(row * width + column) * channels + c]
  }
  return (i, j, c) => {
    const [top, left] = [Math.floor(i), Math.floor(j)]
    const [down, right] = [i - top, j - left]
    if (down === 0 && right === 0) return pixel(top, left, c)
    const rowAt = (row) => (1 - right) * pixel(row, left, c) + right * pixel(row, left + 1, c)
    return (1 - down) * rowAt(top) + down * rowAt(top + 1)
  }
}

/** Of one image, numbers of [height, width, channels]; `transforms` as the core takes them. */
export function augmented(numbers, transforms, place) {
  const { height, width, channels, seed, epoch, row, fill = 'zero' } = place
  let at = readAt(numbers, place, fill)
  const erased = []
  for (const [number, transform] of transforms.entries()) {
    const drawn = words(seed, number, epoch, row)
    const step = steps[transform.kind]
    // What is done last is asked first where a pixel comes from.
    if (step) at = step(transform, drawn, { ...place, number })(at)
    if (transform.kind === 'cutout') erased.push([below(drawn[0], height), below(drawn[1], width), transform.size])
  }
  const isErased = (i, j) =>
    erased.some(([row, column, size]) => {
      const within = (k, centre) => k >= centre - Math.floor(size / 2) && k < centre + size - Math.floor(size / 2)
      return within(i, row) && within(j, column)
    })
  const all = new Float64Array(height * width * channels)
  for (let i = 0, n = 0; i < height; i++)
    for (let j = 0; j < width; j++) for (let c = 0; c < channels; c++, n++) all[n] = isErased(i, j) ? 0 : at(i, j, c)
  return all
}

/** Factors of brightness, contrast and saturation, by the words drawn for a row in their order. */
export function jitterOf({ brightness, contrast, saturation }, { seed, number, epoch, row }) {
  const drawn = words(seed, number, epoch, row)
  return [brightness, contrast, saturation].map((most, i) => between(drawn[i], 1 - most, 1 + most))
}

/** With whom a row is mixed, and by which share where alpha is 1. */
export function mixOf(kind, { seed, number, epoch, row, rows, height, width }) {
  const drawn = words(seed, number, epoch, row)
  const other = below(drawn[0], rows - 1)
  const partner = other + Number(other >= row)
  const more = words(seed, number, epoch, row, 1)
  // Ulrich's formula for alpha 1.
  const beta = 0.5 + 0.5 * Math.sqrt(1 - unit(more[0]) ** 2) * Math.cos(2 * Math.PI * unit(more[1]))
  const share = Math.max(beta, 1 - beta)
  if (kind === 'mixup') return { partner, share }
  const range = (centre, size, most) => [
    Math.max(0, centre - Math.floor(size / 2)),
    Math.min(most, centre + size - Math.floor(size / 2)),
  ]
  const side = Math.sqrt(1 - share)
  const [top, bottom] = range(below(drawn[1], height), Math.floor(side * height), height)
  const [left, right] = range(below(drawn[2], width), Math.floor(side * width), width)
  return {
    partner,
    share: 1 - ((bottom - top) * (right - left)) / (height * width),
    area: { top, bottom, left, right },
  }
}
