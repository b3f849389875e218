// Packed files that claim what is not so: they are refused before they cost anything, and damage is found.
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { readIdx, readNpy, readNpz } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

async function refusal(promise) {
  try {
    await promise
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

/** A .npy file of bytes, as NumPy describes the format. */
function npy(bytes) {
  const dictionary = `{'descr': '|u1', 'fortran_order': False, 'shape': (${bytes.length},), }`
  const header = `${dictionary.padEnd(117)}\n`
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header), bytes])
}

const u16 = (value) => Buffer.from(Uint16Array.of(value).buffer)
const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer)
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)

/**
 * An archive as APPNOTE.TXT describes it. An entry's `size`, `crc`, `method`, `flags`, `localName` and `at` say other than
 * what is so; `zip64` moves the sizes to where those beyond 32 bits stand.
 */
function zip(entries, { zip64 = false, count = entries.length, trailing = Buffer.alloc(0) } = {}) {
  const [parts, places] = [[], []]
  let length = 0
  for (const { name, localName = name, content, packed = deflateRawSync(content), at } of entries) {
    places.push(at ?? length)
    if (at !== undefined) continue
    const local = [u32(0x04034b50), Buffer.alloc(22), u16(localName.length), u16(0), Buffer.from(localName), packed]
    parts.push(...local)
    length += Buffer.concat(local).length
  }
  const directory = Buffer.concat(
    entries.flatMap((entry, i) => {
      const { name, content, packed = deflateRawSync(content), size = content.length, flags = 0, method = 8 } = entry
      const sizes = [size, packed.length, places[i]]
      const extra = zip64
        ? Buffer.concat([u16(7), u16(1), Buffer.of(9), u16(1), u16(24), ...sizes.map(u64)])
        : Buffer.alloc(0)
      const [shortSize, shortPacked, offset] = zip64 ? [0xffffffff, 0xffffffff, 0xffffffff] : sizes
      return [
        ...[u32(0x02014b50), u16(20), u16(20), u16(flags), u16(method), u32(0), u32(entry.crc ?? crc32(content))],
        ...[
          u32(shortPacked),
          u32(shortSize),
          u16(name.length),
          u16(extra.length),
          u16(0),
          Buffer.alloc(8),
          u32(offset),
        ],
        ...[Buffer.from(name), extra],
      ]
    }),
  )
  const end64 = [
    u32(0x06064b50),
    u64(44),
    u16(45),
    u16(45),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(directory.length),
    u64(length),
  ]
  const locator = [u32(0x07064b50), u32(0), u64(length + directory.length), u32(1)]
  const end = zip64
    ? [u32(0x06054b50), u32(0), u16(0xffff), u16(0xffff), u32(0xffffffff), u32(0xffffffff), u16(0)]
    : [u32(0x06054b50), u32(0), u16(count), u16(count), u32(directory.length), u32(length), u16(0)]
  return Buffer.concat([...parts, directory, ...(zip64 ? [...end64, ...locator] : []), ...end, trailing])
}

const x = npy(Buffer.from('some numbers, some numbers, some numbers'))
const y = npy(Buffer.from('others'))
const sound = [
  { name: 'x.npy', content: x },
  { name: 'y.npy', content: y },
]

test('archives with sizes of 32 and of 64 bits are read, and so is one with a comment', async () => {
  const commented = zip(sound, { trailing: Buffer.from('PK, he said') })
  commented.writeUInt16LE(11, commented.length - 13)
  for (const archive of [zip(sound), zip(sound, { zip64: true }), commented]) {
    const tables = await readNpz(archive)
    assert.equal(Object.keys(tables), ['x', 'y'])
    assert.is(Buffer.from(tables.y.data).toString(), 'others')
  }
})

test('an array may have any name', async () => {
  const archive = zip(['__proto__', 'constructor', 'toString'].map((name) => ({ name: `${name}.npy`, content: y })))
  const tables = await readNpz(archive)
  assert.equal(Object.keys(tables), ['__proto__', 'constructor', 'toString'])
  assert.is(tables.hasOwnProperty, undefined)
  assert.is(Object.getPrototypeOf(tables), null)
})

test('what an archive claims is not believed', async () => {
  const zeros = Buffer.alloc(4 << 20)
  const bomb = { name: 'x.npy', content: npy(zeros) }
  const shared = { packed: deflateRawSync(bomb.content), content: bomb.content }
  const cases = [
    // More than it says; less than it says; far more than so few bytes can be.
    [[{ ...bomb, size: 200 }], /x\.npy: holds other than the 200 bytes it claims/],
    [[{ ...sound[0], size: x.length + 1 }], /x\.npy: holds other than the \d+ bytes it claims/],
    [
      [{ ...sound[0], size: 0xffffffff }],
      /unpacks to more than 1073741824 bytes; the option maxBytes raises the limit/,
    ],
    [[{ ...sound[0], size: 1e9 }], /x\.npy: holds other than the 1000000000 bytes it claims/],
    // 2,000 entries of 600 KB.
    [Array.from({ length: 2000 }, (_, i) => ({ name: `${i}.npy`, content: y, size: 600_000 })), /unpacks to more than/],
    // 40 names over the same bytes.
    [
      Array.from({ length: 40 }, (_, i) => ({ name: `${i}.npy`, ...shared, ...(i > 0 && { at: 0 }) })),
      /another name|overlap/,
    ],
    [
      Array.from({ length: 40 }, (_, i) => ({ name: 'x.npy', ...shared, ...(i > 0 && { at: 0 }) })),
      /two entries are named "x.npy"/,
    ],
    [[{ ...sound[0], crc: 5 }], /x\.npy: its checksum is wrong, the file is damaged/],
    [[{ ...sound[0], packed: Buffer.from('nonsense') }], /x\.npy: /],
    [[{ ...sound[0], flags: 1 }], /x\.npy is encrypted/],
    [[{ ...sound[0], method: 14 }], /x\.npy is packed by method 14/],
    [[{ ...sound[0], localName: 'z.npy' }], /x\.npy has another name where it lies/],
    [[{ ...sound[0], at: 1e6 }], /x\.npy is not where the directory says/],
  ]
  for (const [entries, message] of cases) {
    const said = await refusal(readNpz(zip(entries)))
    assert.match(said, /^GRADUS_BAD_FILE the buffer: /)
    assert.match(said, message)
  }
  const padding = (i) => ({ name: `${i}`, content: Buffer.alloc(0), packed: Buffer.alloc(0) })
  const many = zip(Array.from({ length: 10_001 }, (_, i) => padding(i)))
  assert.match(await refusal(readNpz(many)), /10001 entries, where at most 10000 are read/)
  assert.match(await refusal(readNpz(zip(sound, { count: 1 }))), /its directory is longer than its entries/)
  assert.match(await refusal(readNpz(zip(sound, { count: 3 }))), /entry 2 is cut off/)
})

test('the limit is on all arrays together, and can be raised', async () => {
  const content = npy(Buffer.alloc(1 << 20))
  const entries = Array.from({ length: 4 }, (_, i) => ({ name: `${i}.npy`, content }))
  const message =
    /^GRADUS_BAD_FILE the buffer: it unpacks to more than 3000000 bytes; the option maxBytes raises the limit$/
  assert.match(await refusal(readNpz(zip(entries), { maxBytes: 3e6 })), message)
  assert.is(Object.keys(await readNpz(zip(entries), { maxBytes: 5e6 })).length, 4)
  for (const read of [readIdx, readNpy]) {
    assert.match(await refusal(read(gzipSync(Buffer.alloc(4e6)), { maxBytes: 3e6 })), message)
    assert.match(
      await refusal(read(x, { maxBytes: 0 })),
      /^GRADUS_INVALID_ARGUMENT maxBytes: expected a positive integer/,
    )
    assert.match(await refusal(read(x, { limit: 5 })), /^GRADUS_INVALID_ARGUMENT .*there is no option "limit"/)
  }
  assert.is((await readNpy(gzipSync(content), { maxBytes: 2e6 })).data.length, 1 << 20)
})

test('a byte changed anywhere is found, or changes nothing', async () => {
  for (const archive of [zip(sound), zip(sound, { zip64: true }), Buffer.from(zipSync({ 'x.npy': x, 'y.npy': y }))]) {
    let refused = 0
    for (let at = 0; at < archive.length; at++) {
      for (const flip of [1, 16, 255]) {
        const damaged = Buffer.from(archive)
        damaged[at] ^= flip
        let tables
        try {
          tables = await readNpz(damaged)
        } catch (error) {
          assert.is(error.code, 'GRADUS_BAD_FILE', error.stack)
          refused++
          continue
        }
        assert.equal(Object.keys(tables), ['x', 'y'], `byte ${at}`)
        assert.equal(
          [Buffer.from(tables.x.data), Buffer.from(tables.y.data)],
          [x.subarray(128), y.subarray(128)],
          `byte ${at}`,
        )
      }
    }
    assert.ok(refused > archive.length, `${refused} of ${3 * archive.length} refused`)
  }
})

test('the event loop turns while an array is unpacked and read', async () => {
  const turns = async (work) => {
    let [count, isDone] = [0, false]
    const turn = () => {
      count++
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    await work()
    isDone = true
    return count
  }
  const content = npy(Buffer.alloc(32 << 20))
  const archive = zip([{ name: 'x.npy', content }])
  // At least one a megabyte.
  const count = await turns(() => readNpz(archive))
  assert.ok(count > 32, `${count} turns`)
})

test.run()
