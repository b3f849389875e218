/** Horizontal bars on a logarithmic scale, with a line at 1, as SVG. bars: [{ label, value }], values positive. */
export function chart(title, bars) {
  const [left, width, height] = [260, 420, 18]
  const logs = bars.map(({ value }) => Math.log2(value))
  const low = Math.floor(Math.min(0, ...logs))
  const high = Math.ceil(Math.max(1, ...logs))
  const at = (log) => left + ((log - low) / (high - low)) * width
  const bottom = 40 + bars.length * height
  const lines = Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((log) => [
    `<line x1="${at(log)}" x2="${at(log)}" y1="32" y2="${bottom}" stroke="${log === 0 ? '#333' : '#ddd'}"/>`,
    `<text x="${at(log)}" y="${bottom + 14}" text-anchor="middle">${2 ** log}</text>`,
  ])
  const shapes = bars.flatMap(({ label, value }, i) => {
    const y = 36 + i * height
    const [from, to] = [at(0), at(Math.log2(value))].sort((a, b) => a - b)
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect x="${from}" y="${y + 2}" width="${to - from}" height="${height - 5}" fill="#4477aa"/>`,
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 30}" height="${bottom + 24}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${left}" y="20" font-size="14">${escapeText(title)}</text>`,
    ...lines,
    ...shapes,
    '</svg>',
    '',
  ].join('\n')
}

const escapeText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
