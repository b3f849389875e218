// CSV files: records against csv-parse, cells against what they must mean.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { readCsv } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CsvReader } from '../dist/data/csv-records.js'

const folder = mkdtempSync(join(tmpdir(), 'gradus-csv-'))
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

const read = (text, options) => readCsv(Buffer.from(text), { dtype: 'float64', ...options })
const cells = async (text, options) => [...(await read(text, { header: false, ...options })).x.data]

/** The records of a text that comes in pieces of this length. */
function recordsOf(text, length, delimiter = ',') {
  const reader = new CsvReader(delimiter)
  const records = []
  for (let at = 0; at < text.length; at += length) records.push(...reader.read(text.slice(at, at + length)))
  return [...records, ...reader.end()]
}

test('records are those of csv-parse, wherever pieces end', () => {
  const part = fc.constantFrom(
    'a',
    'bc',
    '"',
    '""',
    ',',
    ';',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '1.5',
    'é',
    '"x,y"',
    '"p\nq"',
    '\n\n',
  )
  let [sound, bad] = [0, 0]
  const compare = (text, length) => {
    // Two quoted cells without a delimiter: csv-parse refuses them unless the first is empty.
    if (/""[ \t]+"/.test(text)) return
    let expected
    try {
      expected = parse(text, {
        ...{ trim: true, skip_empty_lines: true, relax_column_count: true, record_delimiter: ['\n', '\r\n'] },
      })
    } catch {
      expected = null
    }
    let found
    try {
      found = recordsOf(text, length).map((record) => record.cells)
    } catch {
      found = null
    }
    if (expected === null) bad++
    else sound++
    assert.equal(found, expected, JSON.stringify(text))
  }
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), fc.integer({ min: 1, max: 9 }), (parts, length) =>
      compare(parts.join(''), length),
    ),
    { numRuns: 4000, seed: 1 },
  )
  assert.ok(sound > 800 && bad > 800, `${sound} sound, ${bad} malformed`)
})

test('a record has the line of the file where it begins', () => {
  const lines = (text) => recordsOf(text, 1).map(({ line, cells }) => [line, cells])
  assert.equal(lines('a\r\nb\n\n  \nc'), [
    [1, ['a']],
    [2, ['b']],
    [5, ['c']],
  ])
  assert.equal(lines('a,"1\r\n2\n3"\rb,c\r\r\nd,e\n'), [
    [1, ['a', '1\r\n2\n3']],
    [4, ['b', 'c']],
    [6, ['d', 'e']],
  ])
})

test('errors name the line of the file and the column', async () => {
  const cases = [
    ['a,b\n1,2\n3\n', {}, 'line 3: expected 2 cells, found 1'],
    ['a,b\n\n1,2\n\n3,x4\n', {}, 'line 5, column b: expected a number, found "x4"'],
    ['a,b\n1,"x\ny"\n3,4\n', {}, 'line 2, column b: expected a number, found "x\\ny"'],
    [
      '1,2\n3,\n',
      { header: false },
      'line 2, column 1: the cell is missing (""); the option missing gives it a value or skips its row',
    ],
    ['a,b\n1,"2\n', {}, 'line 2: a quote is not closed'],
    ['a,b\n1,"2"3\n', {}, 'line 2: expected a delimiter behind a quoted cell, found "3"'],
    ['a,b\n1,2"3\n', {}, 'line 2: a quote within the cell "2", which does not begin with one'],
    [
      'a,b\n1,NA\n',
      {},
      'line 2, column b: expected a number, found "NA"; the option missingWords takes it for missing',
    ],
    [
      'a;b\n1;"2,5"\n',
      { delimiter: ';' },
      `line 2, column b: expected a number, found "2,5"; the option decimal: ',' reads it`,
    ],
  ]
  for (const [text, options, message] of cases) {
    assert.is(await refusal(read(text, options)), `GRADUS_BAD_FILE the buffer: ${message}`)
    const path = file('bad.csv', text)
    assert.is(await refusal(readCsv(path, options)), `GRADUS_BAD_FILE ${path}: ${message}`)
  }
  const column = await refusal(read('a,b\n1,2\n', { target: 'c' }))
  assert.is(column, 'GRADUS_INVALID_ARGUMENT target: expected a column of the buffer (a, b), received "c"')
  assert.match(await refusal(readCsv(3)), /^GRADUS_INVALID_ARGUMENT file: expected a path, a file URL or a Uint8Array/)
})

test('a number is digits, sign, point and exponent, and nothing else that JavaScript takes for one', async () => {
  assert.equal(await cells('-1.5,+2,.5,3.,1e3,-2.5E-1, 7 ,"8"'), [-1.5, 2, 0.5, 3, 1000, -0.25, 7, 8])
  for (const cell of [
    '0x10',
    '0b11',
    '0o7',
    'Infinity',
    '-Infinity',
    'NaN',
    '1e999',
    '1_000',
    '1 000',
    '1,5x',
    '--1',
  ]) {
    assert.match(
      await refusal(read(`a;b\n1;"${cell}"\n`, { delimiter: ';' })),
      /line 2, column b: expected a number/,
      cell,
    )
  }
})

test('blanks are missing, never 0', async () => {
  for (const blank of ['', '  ', '"  "', '"\t"', '""']) {
    const text = `a,b,c\n1,2,3\n4,${blank},6\n`
    assert.match(await refusal(read(text)), /line 3, column b: the cell is missing/, blank)
    assert.equal([...(await read(text, { missing: -1 })).x.data], [1, 2, 3, 4, -1, 6])
    // A label is never made up.
    for (const missing of [undefined, -1]) {
      assert.match(await refusal(read(text, { target: 'b', missing })), /line 3, column b: the target is missing/)
    }
    const { x, y, skipped } = await read(text, { target: 'b', missing: 'skip' })
    assert.equal([[...x.data], [...y], skipped], [[1, 3], [2], 1])
  }
  const words = 'a,b\n1,cat\n2,\n3,dog\n'
  assert.match(await refusal(read(words, { target: 'b' })), /line 3, column b: the target is missing/)
  assert.equal((await read(words, { target: 'b', missing: 'skip' })).classes, ['cat', 'dog'])
})

test('words for what is missing', async () => {
  const text = 'a,b\n1,NA\n?,2\n3,4\n'
  assert.equal([...(await read(text, { missingWords: ['NA', '?'], missing: 0 })).x.data], [1, 0, 0, 2, 3, 4])
  const { x, skipped } = await read(text, { missingWords: ['NA', '?'], missing: 'skip' })
  assert.equal([[...x.data], x.shape, skipped], [[3, 4], [1, 2], 2])
  assert.match(
    await refusal(read(text, { missingWords: ['NA', '?'] })),
    /line 2, column b: the cell is missing \("NA"\)/,
  )
})

test('decimal commas, with the delimiter that goes with them', async () => {
  assert.equal(await cells('1,5;-2,25e1;3', { decimal: ',' }), [1.5, -22.5, 3])
  assert.equal(await cells('1,5\t2', { decimal: ',', delimiter: '\t' }), [1.5, 2])
  assert.match(await refusal(read('a;b\n1;2.5', { decimal: ',' })), /line 2, column b: expected a number, found "2.5"/)
  assert.match(await refusal(read('1.234,5', { decimal: ',', header: false })), /expected a number, found "1.234,5"/)
  assert.match(
    await refusal(read('a', { decimal: ',', delimiter: ',' })),
    /delimiter: expected another character than the/,
  )
})

test('a second file has the classes of the first', async () => {
  const first = await read('x,kind\n1,dog\n2,ant\n3,cat\n', { target: 'kind' })
  assert.equal(
    [first.classes, [...first.y]],
    [
      ['ant', 'cat', 'dog'],
      [2, 0, 1],
    ],
  )
  const { classes } = first
  const second = await read('x,kind\n1,dog\n', { target: 'kind', classes })
  assert.equal([second.classes, [...second.y]], [classes, [2]])
  assert.is(
    await refusal(read('x,kind\n1,dog\n2,cot\n', { target: 'kind', classes })),
    'GRADUS_BAD_FILE the buffer: line 3, column kind: expected one of the classes ant, cat, dog, received "cot"; did you mean "cat"?',
  )
  const digits = await read('x,digit\n1,3\n2,1\n', { target: 'digit', classes: ['1', '2', '3'] })
  assert.equal(
    [digits.classes, [...digits.y]],
    [
      ['1', '2', '3'],
      [2, 0],
    ],
  )
})

test('one word among numbers is a slip, unless classes say otherwise', async () => {
  const text = 'x,price\n1,10.5\n2,11.5o\n3,12\n'
  const message = await refusal(read(text, { target: 'price' }))
  assert.match(
    message,
    /line 3, column price: expected a number as in other rows, found "11.5o"; .* the option classes lists them/,
  )
  const { y } = await read(text, { target: 'price', classes: ['10.5', '12', '11.5o'] })
  assert.equal([...y], [0, 2, 1])
})

test('byte order marks, UTF-16, and gzip without the name for it', async () => {
  const text = 'größe,b\n1,2\n'
  const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])
  const sources = [text, `\ufeff${text}`, utf16, gzipSync(text), file('packed.csv', gzipSync(text)), gzipSync(utf16)]
  for (const source of sources) {
    const { x, columns } = await readCsv(
      typeof source === 'string' && source.includes('\n') ? Buffer.from(source) : source,
    )
    assert.equal(
      [[...x.data], columns],
      [
        [1, 2],
        ['größe', 'b'],
      ],
    )
  }
  assert.match(await refusal(readCsv(Buffer.from(text, 'latin1'))), /its text is not UTF-8; save it as UTF-8/)
})

test('without a target there is no y', async () => {
  assert.equal(Object.keys(await read('a\n1\n')), ['x', 'columns', 'skipped'])
})

test('a record without end is refused before it fills the memory', async () => {
  const limit =
    /^GRADUS_BAD_FILE the buffer: line 1: a record of more than 16777216 characters; is a quote not closed\?$/
  for (const sign of ['1', ',', '"']) {
    const endless = gzipSync(
      Buffer.concat([Buffer.from(sign === '"' ? '"a' : ''), Buffer.alloc(20 << 20, sign === '"' ? 'b' : sign)]),
    )
    assert.match(await refusal(readCsv(endless)), limit, sign)
  }
  const many = gzipSync('1,2\n'.repeat(1 << 20))
  assert.match(
    await refusal(readCsv(many, { header: false, maxBytes: 1 << 20 })),
    /^GRADUS_BAD_FILE the buffer: it unpacks to more than 1048576 bytes; the option maxBytes raises the limit$/,
  )
  assert.is((await readCsv(many, { header: false })).x.shape[0], 1 << 20)
})

test('values of all options are checked', async () => {
  const cases = [
    [{ target: {} }, /target: expected the name or number of a column/],
    [{ target: 0.5 }, /target: expected the name or number of a column, received 0.5/],
    [{ columns: 'a' }, /columns: expected an array of names or numbers of columns, received "a"/],
    [{ columns: [null] }, /columns\[0\]: expected the name or number of a column, received null/],
    [{ columns: ['c'] }, /columns\[0\]: expected a column of the buffer \(a, b\), received "c"/],
    [{ header: 'yes' }, /header: expected true or false/],
    [{ delimiter: '' }, /delimiter: expected a single character/],
    [{ delimiter: '"' }, /delimiter: expected a single character/],
    [{ delimiter: 7 }, /delimiter: expected a single character/],
    [{ decimal: ';' }, /decimal: expected one of '\.', ','/],
    [{ missing: Number.NaN }, /missing: expected a finite number or 'skip', received NaN/],
    [{ missing: 'drop' }, /missing: expected a finite number or 'skip', received "drop"/],
    [{ missingWords: 'NA' }, /missingWords: expected an array of words, received "NA"/],
    [{ classes: [] }, /classes: expected the names of the classes/],
    [{ dtype: 'float16' }, /dtype: expected one of 'float32', 'float64'/],
    [{ maxBytes: 0 }, /maxBytes: expected a positive integer/],
    [{ sep: ';' }, /readCsv: there is no option "sep"; did you mean delimiter\?/],
    [null, /readCsv: expected an options object, received null/],
  ]
  for (const [options, message] of cases) {
    const said = await refusal(readCsv(Buffer.from('a,b\n1,2\n'), options))
    assert.match(said, /^GRADUS_INVALID_ARGUMENT /)
    assert.match(said, message)
  }
})

test('a first line of numbers is taken for names only where that is said', async () => {
  const years = Buffer.from('2019,2020,place\n1,2,here\n3,4,there')
  assert.equal((await readCsv(years, { target: 'place', header: true })).columns, ['2019', '2020'])
  assert.is((await readCsv(Buffer.from('1,2\n3,4'), { header: false })).x.data.length, 4)
  const error = await readCsv(years, { target: 'place' }).catch((error) => error)
  assert.match(`${error.code} ${error.message}`, /^GRADUS_BAD_FILE .*say header: false/)
  assert.equal((await readCsv(Buffer.from('a,2020\n1,2'))).columns, ['a', '2020'], 'one number among names is a name')
})

test.run()
