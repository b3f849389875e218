import { join } from 'node:path'
import { readTextWithin, replaceFile } from '../../files.js'
import { parseObject } from '../../json.js'
import { files } from './files.js'

/** What is kept of the last epoch alone, because it is large: `latest.json`. Bytes are base64. */
export interface Latest {
  epoch: number
  step: number
  /** Row: the right class; column: what the model said. */
  confusion?: number[][] | undefined
  /** Those of which the model was most certain. */
  misclassified?:
    | { row: number; predicted: number; actual: number; confidence: number; image?: string | undefined }[]
    | undefined
  /** Of the images above. */
  image?: ImageShape | undefined
  /** The weights into the first units of the first layer, or its filters. */
  firstLayer?: (ImageShape & Pixels & { layer: string; units: number; isConvolution?: boolean | undefined }) | undefined
  /** What the first convolutions answer to one example, which is shown with them. */
  featureMaps?: { row: number; image?: string | undefined; layers: readonly FeatureMaps[] } | undefined
}

/** The first `maps` of a layer's, `of` which there are so many. */
export interface FeatureMaps extends ImageShape, Pixels {
  layer: string
  maps: number
  of: number
}

/** Images of 8 bits, from `least` to `most`. */
interface Pixels {
  least: number
  most: number
  pixels: string
}

export interface ImageShape {
  height: number
  width: number
  channels: number
}

/** A file of more bytes was not written by a monitor. */
const mostBytes = 1 << 24

/** In place of what was there, never half a file; what `ready` throws, just before, leaves the old one. */
export async function writeLatest(directory: string, latest: Latest, ready?: () => Promise<void>): Promise<void> {
  const text = JSON.stringify(latest)
  await replaceFile(join(directory, files.latest), (file) => file.writeFile(text), { sync: false, ready })
}

/** Of the directory with this real path; null where there is none, or none that can be read. */
export async function readLatest(directory: string): Promise<Latest | null> {
  try {
    return parseObject(readTextWithin(directory, files.latest, mostBytes), files.latest) as unknown as Latest
  } catch {
    return null
  }
}
