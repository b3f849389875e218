import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { strToU8, zipSync } from 'fflate'
import { readCsv, readIdx, readNpy, readNpz } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { barePackage } from './support/bare-package.js'

const folder = mkdtempSync(join(tmpdir(), 'gradus-readers-'))
test.after(() => rmSync(folder, { recursive: true }))

function file(name, content) {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function refusal(promise) {
  try {
    await promise
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

/** An IDX file written by the format's own description: big-endian throughout. */
function idx(typeCode, shape, bytes) {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt8(typeCode, 2)
  header.writeUInt8(shape.length, 3)
  shape.forEach((dimension, i) => {
    header.writeUInt32BE(dimension, 4 + 4 * i)
  })
  return Buffer.concat([header, bytes])
}

function bigEndian(bytes, write, values) {
  const buffer = Buffer.alloc(bytes * values.length)
  values.forEach((value, i) => {
    buffer[write](value, bytes * i)
  })
  return buffer
}

const idxTypes = [
  [8, Uint8Array, bigEndian(1, 'writeUInt8', [0, 200, 255]), [0, 200, 255]],
  [9, Int8Array, bigEndian(1, 'writeInt8', [0, -128, 127]), [0, -128, 127]],
  [11, Int16Array, bigEndian(2, 'writeInt16BE', [1, -2, 32767]), [1, -2, 32767]],
  [12, Int32Array, bigEndian(4, 'writeInt32BE', [1, -2, 1 << 30]), [1, -2, 1 << 30]],
  [13, Float32Array, bigEndian(4, 'writeFloatBE', [1.5, -2, 2 ** 100]), [1.5, -2, 2 ** 100]],
  [14, Float64Array, bigEndian(8, 'writeDoubleBE', [1.1, -2, 1e300]), [1.1, -2, 1e300]],
]
for (const [code, Type, bytes, values] of idxTypes) {
  test(`IDX of type ${code} is a ${Type.name}, from a file, a URL, gzip and a buffer at any offset`, async () => {
    const content = idx(code, [3, 1], bytes)
    const path = file(`type${code}.idx`, content)
    const odd = Buffer.concat([Buffer.of(7), content]).subarray(1)
    const sources = [path, pathToFileURL(path), file(`type${code}.gz`, gzipSync(content)), odd]
    for (const source of sources) {
      const { data, shape } = await readIdx(source)
      assert.instance(data, Type)
      assert.equal([[...data], shape], [values, [3, 1]])
    }
  })
}

test('an IDX file longer than a slice is turned around to its end', async () => {
  const values = Int32Array.from({ length: 300_000 }, (_, i) => i * 7)
  const { data } = await readIdx(idx(12, [300_000], bigEndian(4, 'writeInt32BE', values)))
  assert.ok(Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(Buffer.from(values.buffer)))
})

test('a malformed IDX file is refused with what is wrong', async () => {
  const good = idx(8, [2, 2], Buffer.of(1, 2, 3, 4))
  const cases = [
    [Buffer.of(0, 0), /begins with 4 bytes, this one has 2/],
    [Buffer.from('hello'), /not an IDX file/],
    [idx(10, [1], Buffer.of(1)), /element type 0x0a is unknown/],
    [idx(8, [], Buffer.of(1)), /no dimensions/],
    [good.subarray(0, 9), /header of 2 dimensions is cut off/],
    [good.subarray(0, 15), /expected 4 bytes of data for the shape \[2,2\], found 3/],
    [Buffer.concat([good, Buffer.of(5)]), /found 5/],
    [idx(14, [0xffffffff, 0xffffffff, 0xffffffff], Buffer.of(1)), /found 1/],
    [gzipSync(good).subarray(0, 20), /could not be read/],
  ]
  for (const [content, message] of cases) {
    const said = await refusal(readIdx(file('bad.idx', content)))
    assert.match(said, /^GRADUS_BAD_FILE .*bad\.idx: /)
    assert.match(said, message)
  }
  assert.match(await refusal(readIdx(join(folder, 'none.idx'))), /GRADUS_BAD_FILE .*none\.idx: no such file$/)
  assert.match(await refusal(readIdx(7)), /GRADUS_INVALID_ARGUMENT file: expected a path/)
})

const flowers = '\ufeffsepal, petal ,kind\r\n5.1,"1.4",setosa\r\n\r\n7,4.7,versicolor\r\n6.3,6,setosa\r\n'

test('CSV: features and a target of words', async () => {
  for (const source of [file('a.csv', flowers), file('a.csv.gz', gzipSync(flowers)), Buffer.from(flowers)]) {
    const { x, y, columns, classes } = await readCsv(source, { target: 'kind', dtype: 'float64' })
    assert.equal(x, { data: Float64Array.of(5.1, 1.4, 7, 4.7, 6.3, 6), shape: [3, 2] })
    assert.equal([columns, classes, y], [['sepal', 'petal'], ['setosa', 'versicolor'], Int32Array.of(0, 1, 0)])
  }
})

test('CSV: columns by number, no header, another delimiter, numbers as target, values for empty cells', async () => {
  const table = Buffer.from('1;2;3\n4;;6\n')
  const { x, y, columns, classes } = await readCsv(table, {
    header: false,
    delimiter: ';',
    target: -1,
    columns: [1, 0],
    missing: -9,
  })
  assert.equal(x, { data: Float32Array.of(2, 1, -9, 4), shape: [2, 2] })
  assert.equal([y, columns, classes], [Float64Array.of(3, 6), ['1', '0'], undefined])
})

test('a malformed CSV file is refused with its row and column', async () => {
  const cases = [
    ['a,b\n1,2\n3\n', {}, /line 3: expected 2 cells, found 1/],
    ['a,b\n1,2\n3,x4\n', {}, /line 3, column b: expected a number, found "x4"/],
    ['a,b\n1,nan\n', {}, /found "nan"/],
    ['a\n1\n', { target: 'a' }, /no columns of features/],
    ['', {}, /no rows/],
    ['a,b\n', {}, /no rows/],
  ]
  for (const [content, options, message] of cases) {
    const said = await refusal(readCsv(file('bad.csv', content), options))
    assert.match(said, /^GRADUS_BAD_FILE .*bad\.csv: /)
    assert.match(said, message)
  }
  assert.match(await refusal(readCsv(join(folder, 'none.csv'))), /GRADUS_BAD_FILE .*none.csv: no such file/)
  const torn = gzipSync('a,b\n1,2\n').subarray(0, 20)
  assert.match(await refusal(readCsv(file('bad.csv.gz', torn))), /GRADUS_BAD_FILE .*could not be read \(unexpected end/)
  const named = refusal(readCsv(file('good.csv', 'a,b\n1,2\n'), { target: 'c' }))
  assert.match(await named, /GRADUS_INVALID_ARGUMENT target: expected a column of .* \(a, b\), received "c"/)
})

/** A .npy file written by NumPy's description of the format, version 1.0. */
function npy(descr, shape, bytes, fortran = 'False') {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${tuple}), }`
  const header = `${dictionary.padEnd(64 * Math.ceil((dictionary.length + 11) / 64) - 11)}\n`
  const length = Buffer.alloc(2)
  length.writeUInt16LE(header.length)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header, 'latin1'), bytes])
}
const bytesOf = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

test('NPY of each kind of number', async () => {
  const cases = [
    ['<f4', Float32Array.of(1.5, -2)],
    ['<f8', Float64Array.of(1.1, -2)],
    ['|u1', Uint8Array.of(1, 255)],
    ['|i1', Int8Array.of(1, -128)],
    ['<i2', Int16Array.of(1, -2)],
    ['<u2', Uint16Array.of(1, 65535)],
    ['<i4', Int32Array.of(1, -2)],
    ['<u4', Uint32Array.of(1, 2 ** 32 - 1)],
    ['<i8', BigInt64Array.of(1n, -2n), Int32Array.of(1, -2)],
    ['<i8', BigInt64Array.of(1n, 2n ** 40n), Float64Array.of(1, 2 ** 40)],
    ['<i8', BigInt64Array.of(1n, -(2n ** 31n)), Int32Array.of(1, -(2 ** 31))],
    ['<u8', BigUint64Array.of(1n, 2n ** 53n - 1n), Float64Array.of(1, 2 ** 53 - 1)],
    ['<f2', Uint16Array.of(0x3c00, 0xc100), Float32Array.of(1, -2.5)],
    ['<f2', Uint16Array.of(0x0001, 0x7bff), Float32Array.of(2 ** -24, 65504)],
    ['<f2', Uint16Array.of(0xfc00, 0x7e00), Float32Array.of(-Infinity, Number.NaN)],
    ['=i2', Int16Array.of(1, -2)],
    ['>f4', Buffer.from('3fc00000c0000000', 'hex'), Float32Array.of(1.5, -2)],
    ['>f8', Buffer.from('3ff8000000000000c000000000000000', 'hex'), Float64Array.of(1.5, -2)],
    ['>i2', Buffer.from('0102fffe', 'hex'), Int16Array.of(258, -2)],
    ['>u4', Buffer.from('0000000101020304', 'hex'), Uint32Array.of(1, 0x01020304)],
    ['>i8', Buffer.from('0000000000000001fffffffffffffffe', 'hex'), Int32Array.of(1, -2)],
    ['>f2', Buffer.from('3c00c100', 'hex'), Float32Array.of(1, -2.5)],
  ]
  for (const [descr, stored, expected = stored] of cases) {
    const { data, shape } = await readNpy(file('a.npy', npy(descr, [2], bytesOf(stored))))
    assert.instance(data, expected.constructor)
    assert.equal([[...data], shape], [[...expected], [2]], descr)
  }
  const booleans = await readNpy(npy('|b1', [3], Buffer.of(1, 0, 7)))
  assert.equal([booleans.data, booleans.scale], [Uint8Array.of(1, 0, 1), 1])
  const scalar = await readNpy(npy('<f4', [], bytesOf(Float32Array.of(3))))
  assert.equal(scalar, { data: Float32Array.of(3), shape: [] })
})

test('NPY of versions 2 and 3, packed, and at any place in a buffer', async () => {
  const first = npy('<f8', [2], bytesOf(Float64Array.of(1.5, -2)))
  const longer = (version) => {
    const header = first.subarray(10, 128)
    const start = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1')
    return Buffer.concat([start, Buffer.from(Uint32Array.of(header.length).buffer), header, first.subarray(128)])
  }
  const odd = Buffer.concat([Buffer.of(7), first]).subarray(1)
  for (const content of [first, longer(2), longer(3), gzipSync(first), odd, Uint8Array.from(first)]) {
    assert.equal(await readNpy(content), { data: Float64Array.of(1.5, -2), shape: [2] })
  }
  assert.match(await refusal(readNpy(longer(4))), /its format 4 is unknown/)
})

test('NPY in Fortran order is turned to C order', async () => {
  // Element (i, j, k) of a 2 × 3 × 4 array holds 100 i + 10 j + k.
  const stored = []
  for (let k = 0; k < 4; k++) for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) stored.push(100 * i + 10 * j + k)
  const { data, shape } = await readNpy(npy('<f8', [2, 3, 4], bytesOf(Float64Array.from(stored)), 'True'))
  const expected = []
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) expected.push(100 * i + 10 * j + k)
  assert.equal([[...data], shape], [expected, [2, 3, 4]])
})

test('a malformed NPY file is refused at any length', async () => {
  const good = npy('<f4', [2, 3], bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6)))
  assert.is((await readNpy(good)).data.length, 6)
  for (let length = 0; length < good.length; length++) {
    assert.match(await refusal(readNpy(good.subarray(0, length))), /^GRADUS_BAD_FILE the buffer: /, `length ${length}`)
  }
  const cases = [
    [npy('<f4', [2, 4], bytesOf(Float32Array.of(1, 2))), /expected 8 elements for the shape \(2,4\), found 2/],
    [npy('<c16', [1], bytesOf(Float64Array.of(1, 2))), /dtype <c16 is not one of real numbers/],
    [npy('<U1', [1], bytesOf(Uint32Array.of(65))), /dtype <U1 is not/],
    [npy('<i8', [1], bytesOf(BigInt64Array.of(2n ** 60n))), /element 0, 1152921504606846976, is beyond/],
    [npy('<u8', [1], bytesOf(BigUint64Array.of(2n ** 53n))), /element 0, 9007199254740992, is beyond/],
    [npy('<f3', [1], Buffer.of(0, 0, 0)), /dtype <f3 is not/],
    [npy('hasOwn', [1], Buffer.of(0)), /dtype hasOwn is not/],
    [npy('<f4', [-1], Buffer.alloc(0)), /the shape \(-1,\) is not one of whole numbers/],
    [npy('<f4', [2 ** 40, 2 ** 40, 0.5], Buffer.alloc(0)), /is not one of whole numbers/],
    [npy('<f4', [2 ** 40, 2 ** 40], Buffer.alloc(4)), /expected 1.2\d+e\+24 elements/],
    [npy("', 'x': [('a', '<f4')], '", [1], Buffer.alloc(4)), /dtype/],
  ]
  for (const [content, message] of cases) {
    const said = await refusal(readNpy(content))
    assert.match(said, /^GRADUS_BAD_FILE /)
    assert.match(said, message)
  }
})

test('NPZ gives its arrays by name', async () => {
  const entries = {
    'x.npy': npy('<f4', [1, 2], bytesOf(Float32Array.of(1, 2))),
    'y.npy': npy('<i8', [1], bytesOf(BigInt64Array.of(1n))),
    'notes.txt': strToU8('not an array'),
  }
  for (const level of [0, 6]) {
    const tables = await readNpz(file('a.npz', zipSync(entries, { level })))
    assert.equal(
      { ...tables },
      {
        x: { data: Float32Array.of(1, 2), shape: [1, 2] },
        y: { data: Int32Array.of(1), shape: [1] },
      },
    )
  }
  const zip = zipSync(entries)
  for (const length of [0, 1, 50, 150, zip.length - 1]) {
    assert.match(await refusal(readNpz(zip.subarray(0, length))), /^GRADUS_BAD_FILE the buffer: /)
  }
  const inner = zipSync({ 'x.npy': Buffer.from('nonsense') })
  assert.match(await refusal(readNpz(inner)), /^GRADUS_BAD_FILE the buffer: x\.npy: not a readable \.npy file/)
})

test('readers need no other package; one that is missing is named with the command that installs it', () => {
  const bare = join(folder, 'bare')
  barePackage(bare)
  file('numbers.csv', 'a\n1\n')
  file('numbers.npz', zipSync({ 'x.npy': npy('|u1', [1], Buffer.of(1)) }))
  const script = `
    import { readCsv } from './dist/data/csv.js'
    import { optionalPackage } from './dist/data/file.js'
    import { readNpz } from './dist/data/npy.js'
    console.log((await readCsv('../numbers.csv')).x.shape, Object.keys(await readNpz('../numbers.npz')))
    const load = () => import('no-such-package')
    await optionalPackage('no-such-package', 'tensorboard', load).catch(({ code, message }) => console.log(code, message))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: bare, encoding: 'utf8' })
  assert.equal(out.split('\n'), [
    "[ 1, 1 ] [ 'x' ]",
    'GRADUS_MISSING_PACKAGE tensorboard needs the package no-such-package: npm install no-such-package',
    '',
  ])
})

test.run()
