// Pictures from files: the bytes of PNGs written here by the format's own description, and each way in which a list can be wrong.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { readImages } from 'gradus'
import sharp from 'sharp'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { barePackage } from './support/bare-package.js'

const test = suite('read-images')
const folder = mkdtempSync(join(tmpdir(), 'gradus-images-'))
test.after(() => rmSync(folder, { recursive: true }))

function file(name, content) {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

const colourTypes = { 1: 0, 2: 4, 3: 2, 4: 6 }

/** A PNG of unfiltered lines; `bytes` are those of its pixels. */
function png([height, width, channels], bytes, depth = 8) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, colourTypes[channels]], 8)
  const line = bytes.length / height
  const lines = Array.from({ length: height }, (_, y) => [0, ...bytes.subarray(y * line, (y + 1) * line)])
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from(lines.flat()))), chunk('IEND', Buffer.alloc(0))],
  ])
}

const bytesOf = (length, seed = 0) => Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101 + (i >> 3)) % 256)
const picture = (shape, seed) => png(shape, bytesOf(shape[0] * shape[1] * shape[2], seed))
/** With a last byte of each pixel for its opacity. */
const opaque = (pixels, channels, opacity = 255) =>
  Uint8Array.from({ length: (pixels.length / channels) * (channels + 1) }, (_, i) =>
    i % (channels + 1) === channels ? opacity : pixels[i - Math.floor(i / (channels + 1))],
  )

for (const channels of [1, 3]) {
  test(`many images of ${channels} channels, in their order, from paths, URLs and bytes`, async () => {
    const shape = [5, 4, channels]
    const sources = Array.from({ length: 23 }, (_, i) => {
      const content = picture(shape, i)
      const path = file(`${channels}-${i}.png`, content)
      return [path, pathToFileURL(path), content][i % 3]
    })
    const x = await readImages(sources)
    assert.instance(x.data, Uint8Array)
    assert.equal(x.shape, [23, ...shape])
    const expected = sources.flatMap((_, i) => [...bytesOf(20 * channels, i)])
    assert.equal([...x.data], expected)
    assert.equal(Object.keys(x), ['data', 'shape'])
  })
}

test('a single file, few bits a pixel, and an opaque alpha channel', async () => {
  assert.equal(await readImages(picture([2, 3, 3])), { data: bytesOf(18), shape: [1, 2, 3, 3] })
  const bits = await readImages(png([2, 8, 1], Uint8Array.of(0b10110001, 0b00001111), 1))
  assert.equal([...bits.data].map((v) => v / 255).join(''), '1011000100001111')
  for (const channels of [1, 3]) {
    const pixels = bytesOf(6 * channels)
    const x = await readImages(png([2, 3, channels + 1], opaque(pixels, channels)))
    assert.equal(x, { data: pixels, shape: [1, 2, 3, channels] })
  }
})

test('other sizes are asked for: images are stretched, or cropped about their middle', async () => {
  // Left half black, right half white; twice as wide as high.
  const half = png(
    [20, 40, 1],
    Uint8Array.from({ length: 800 }, (_, i) => (i % 40 < 20 ? 0 : 255)),
  )
  const edges = (row) => [row[0], row.findIndex((v) => v > 127), row.at(-1)]
  const [width, height] = [10, 10]
  const stretched = await readImages([half, picture([7, 9, 1])], { height, width })
  assert.equal(stretched.shape, [2, 10, 10, 1])
  assert.equal(edges([...stretched.data.subarray(0, 10)]), [0, 5, 255])
  // A stripe from 30 on lies outside of the middle 20 columns.
  const stripe = png(
    [20, 40, 1],
    Uint8Array.from({ length: 800 }, (_, i) => (i % 40 < 32 ? 0 : 255)),
  )
  const cropped = await readImages(stripe, { height, width, fit: 'crop' })
  assert.ok(Math.max(...cropped.data) < 30)
  assert.ok(Math.max(...(await readImages(stripe, { height, width })).data) > 200)
  // An image of that size stays as it is.
  assert.equal((await readImages(picture([4, 6, 3]), { height: 4, width: 6 })).data, bytesOf(72))
})

test('grey and colours are made of one another where channels asks for it', async () => {
  const [grey, colours] = [picture([2, 2, 1]), picture([2, 2, 3])]
  const three = await readImages([grey, colours], { channels: 3 })
  assert.equal(three.shape, [2, 2, 2, 3])
  assert.equal([...three.data], [...[...bytesOf(4)].flatMap((v) => [v, v, v]), ...bytesOf(12)])
  const one = await readImages([png([1, 2, 3], Uint8Array.of(255, 255, 255, 90, 90, 90)), picture([1, 2, 1])], {
    channels: 1,
  })
  assert.equal(
    [one.shape, [...one.data]],
    [
      [2, 1, 2, 1],
      [255, 90, ...bytesOf(2)],
    ],
  )
})

test('a photograph is turned upright, and one in the colours of print read as red, green and blue', async () => {
  // 6: the camera was turned; what it holds as its left column is the picture's top line.
  const upright = await sharp(
    png(
      [2, 16, 1],
      Uint8Array.from({ length: 32 }, (_, i) => (i % 16 < 8 ? 0 : 255)),
    ),
  )
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 100 })
    .toBuffer()
  const x = await readImages(upright, { channels: 1 })
  assert.equal(x.shape, [1, 16, 2, 1])
  assert.ok(x.data[0] < 60 && x.data[31] > 200)
  const print = await sharp(png([8, 8, 3], bytesOf(192).fill(200)))
    .toColourspace('cmyk')
    .jpeg()
    .toBuffer()
  assert.equal((await readImages(print)).shape, [1, 8, 8, 3])
})

const [small, none] = [picture([4, 4, 3]), join(folder, 'none.png')]
const torn = file('torn.png', picture([40, 40, 3]).subarray(0, 400))
const text = file('text.png', 'this is no picture')
const deep = file('deep.png', png([4, 4, 3], bytesOf(96), 16))
const deepGrey = file('deep-grey.png', png([4, 4, 1], bytesOf(32), 16))
const wide = file('wide.png', picture([4, 5, 3]))
const grey = file('grey.png', picture([4, 4, 1]))
const clear = file('clear.png', png([4, 4, 4], opaque(bytesOf(48), 3, 100)))
const bad = 'GRADUS_BAD_FILE'
const argument = 'GRADUS_INVALID_ARGUMENT'
const refusals = [
  ['text', [small, text], {}, bad, `${text}: files[1] is not an image that sharp reads`],
  ['nothing', [small, Buffer.alloc(0)], {}, bad, 'the buffer: files[1] is not an image that sharp reads'],
  ['half a file', [torn], {}, bad, /torn\.png: files\[0\] is damaged \(.+\)$/],
  ['no file', [small, none], {}, bad, `${none}: no such file`],
  ['a folder', folder, {}, bad, `${folder}: it is a folder, not a file`],
  ['16 bits', [small, deep], {}, bad, `${deep}: files[1] has 16 bits a channel, not bytes; convert it first`],
  ['16 bits of grey', deepGrey, { channels: 3 }, bad, /files\[0\] has 16 bits a channel/],
  [
    'unequal sizes',
    [small, wide],
    {},
    bad,
    `${wide}: files[1] is 4×5 pixels, files[0] 4×4; give height and width to resize them`,
  ],
  [
    ...['unequal channels', [small, grey], { height: 2, width: 2 }, bad],
    `${grey}: files[1] is grey, files[0] in colours; give channels: 1 or 3 to convert them`,
  ],
  ['transparency', clear, {}, bad, `${clear}: files[0] is transparent in parts; put it on a background first`],
  [
    'too many pixels',
    picture([40, 40, 3]),
    { maxBytes: 4000 },
    bad,
    /unpacks to more than 4000 bytes; the option maxBytes raises/,
  ],
  ['no files', [], {}, argument, 'files: expected at least one file, received an array of length 0'],
  ['a number', 7, {}, argument, 'file: expected a path, a file URL or a Uint8Array, received 7'],
  [
    'height alone',
    small,
    { height: 3 },
    argument,
    'width: expected a number of pixels beside height, received undefined',
  ],
  [
    'width alone',
    small,
    { width: 3 },
    argument,
    'height: expected a number of pixels beside width, received undefined',
  ],
  ['no height', small, { height: 0, width: 1 }, argument, 'height: expected a positive integer, received 0'],
  ['fit alone', small, { fit: 'crop' }, argument, 'fit: expected height and width beside it, received neither'],
  ['another fit', small, { fit: 'cover' }, argument, /^fit: expected one of 'stretch', 'crop', received "cover"/],
  ['two channels', small, { channels: 2 }, argument, 'channels: expected 1 (grey) or 3 (red, green, blue), received 2'],
  ['a wrong option', small, { size: 2 }, argument, /^readImages: there is no option "size"/],
]
for (const [name, files, options, code, message] of refusals) {
  test(`refused: ${name}`, async () => {
    const error = await readImages(files, options).catch((caught) => caught)
    assert.is(error.code, code, error.message)
    if (message instanceof RegExp) assert.match(error.message, message)
    else assert.is(error.message, message)
  })
}

test('of several files that are wrong the first is named, and those behind it are not opened any more', async () => {
  const files = [
    small,
    ...Array.from({ length: 200 }, (_, i) => (i === 2 ? torn : i === 3 ? text : i > 30 ? 7 : small)),
  ]
  for (let time = 0; time < 5; time++) {
    const error = await readImages(files).catch((caught) => caught)
    assert.match(error.message, /^.*torn\.png: files\[3\] is damaged/)
  }
})

test('without sharp the command that installs it is named', () => {
  const bare = join(folder, 'bare')
  barePackage(bare)
  const script = `
    import { readImages } from './dist/data/images.js'
    await readImages('a.png').catch(({ code, message }) => console.log(code, message))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: bare, encoding: 'utf8' })
  assert.is(out, 'GRADUS_MISSING_PACKAGE readImages needs the package sharp: npm install sharp\n')
})

test.run()
