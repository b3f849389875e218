// Pictures beside and below one another, as a PNG.
import { writeFileSync } from 'node:fs'
import { PNG } from 'pngjs'

const scale = 4
const gap = 4

/** `rows` of pictures { data, channels } of bytes, all of the same height and width. */
export function drawRows(file, rows, [height, width]) {
  const [line, column] = [height * scale + gap, width * scale + gap]
  const png = new PNG({ width: Math.max(...rows.map(({ length }) => length)) * column, height: rows.length * line })
  png.data.fill(255)
  for (const [row, pictures] of rows.entries()) {
    for (const [number, { data, channels }] of pictures.entries()) {
      for (let y = 0; y < height * scale; y++) {
        for (let x = 0; x < width * scale; x++) {
          const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels
          const to = 4 * ((row * line + y) * png.width + number * column + x)
          for (let c = 0; c < 3; c++) png.data[to + c] = data[from + (channels === 3 ? c : 0)]
        }
      }
    }
  }
  writeFileSync(file, PNG.sync.write(png))
}
