/** Small pictures that came as bytes. */
import type { ImageShape } from '../recording/index.js'
import { element } from './dom.js'

const decode = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

/** As many canvases as the bytes hold pictures: grey, or red, green and blue. */
export function pictures(base64: string, { height, width, channels }: ImageShape, count = 1): HTMLCanvasElement[] {
  const bytes = decode(base64)
  const size = height * width * channels
  if (!(size > 0) || bytes.length < size * count) return []
  return Array.from({ length: count }, (_, i) => {
    const image = new ImageData(width, height)
    for (let pixel = 0; pixel < width * height; pixel++) {
      const at = i * size + pixel * channels
      const grey = bytes[at]!
      const colour = channels >= 3 ? [grey, bytes[at + 1]!, bytes[at + 2]!] : [grey, grey, grey]
      image.data.set([...colour, 255], 4 * pixel)
    }
    const canvas = element('canvas', { width, height, class: 'picture' })
    canvas.getContext('2d')!.putImageData(image, 0, 0)
    return canvas
  })
}
