/**
 * Small squares, of which there are ten thousand in one picture: their pixels are reckoned here and put on the canvas as one image,
 * which takes a part of the time that as many calls of the canvas do.
 */

export interface Squares {
  /** Of those points that are drawn. */
  readonly rows: readonly number[]
  /** Middles in CSS pixels; NaN is nowhere. */
  readonly xs: ArrayLike<number>
  readonly ys: ArrayLike<number>
  /** In CSS pixels. */
  readonly size: number
  /** Red, green and blue, 0 … 255. */
  readonly colour: readonly [number, number, number]
  /** 0 … 1. Where squares lie on squares, more of what is below is covered. */
  readonly opacity: number
}

/** Draws them on a canvas of that size in CSS pixels. */
export function drawSquares(context: CanvasRenderingContext2D, width: number, height: number, squares: Squares): void {
  const scale = devicePixelRatio
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
  const seen = seenThrough(squares, wide, high, scale)
  const [red, green, blue] = squares.colour
  const image = new ImageData(wide, high)
  const { data } = image
  for (let pixel = 0; pixel < seen.length; pixel++) {
    if (seen[pixel] === 1) continue
    data[4 * pixel] = red
    data[4 * pixel + 1] = green
    data[4 * pixel + 2] = blue
    data[4 * pixel + 3] = 255 * (1 - seen[pixel]!)
  }
  const layer = new OffscreenCanvas(wide, high)
  layer.getContext('2d')!.putImageData(image, 0, 0)
  context.drawImage(layer, 0, 0, wide / scale, high / scale)
}

/** What is still seen of each pixel below them, 0 … 1: of one at its border a square covers a part. */
function seenThrough(
  { rows, xs, ys, size, opacity }: Squares,
  wide: number,
  high: number,
  scale: number,
): Float32Array {
  const seen = new Float32Array(wide * high).fill(1)
  const half = (size * scale) / 2
  for (let i = 0; i < rows.length; i++) {
    const x = xs[rows[i]!]! * scale
    const y = ys[rows[i]!]! * scale
    if (Number.isNaN(x) || Number.isNaN(y)) continue
    const first = Math.max(0, Math.floor(x - half))
    const last = Math.min(wide, Math.ceil(x + half))
    const bottom = Math.min(high, Math.ceil(y + half))
    for (let line = Math.max(0, Math.floor(y - half)); line < bottom; line++) {
      const tall = opacity * (Math.min(line + 1, y + half) - Math.max(line, y - half))
      for (let column = first; column < last; column++)
        seen[line * wide + column]! *= 1 - tall * (Math.min(column + 1, x + half) - Math.max(column, x - half))
    }
  }
  return seen
}
