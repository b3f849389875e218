/** Colours of lines and surfaces; all of them stand in page.css, so that light and dark are chosen in one place. */

const dark = matchMedia('(prefers-color-scheme: dark)')
const cache = new Map<string, string>()

/** A custom property of the page. */
export function colour(name: string): string {
  let value = cache.get(name)
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    cache.set(name, value)
  }
  return value
}

export function onColourChange(listener: () => void): void {
  dark.addEventListener('change', () => {
    cache.clear()
    listener()
  })
}

const seriesColours = 12
/** Where two lines have one colour, dashes tell them apart. */
const dashes: readonly number[][] = [[], [6, 3], [2, 3]]

export const seriesColour = (index: number): string => colour(`series-${index % seriesColours}`)

/** The colour of a run goes by its number, so that it stays; the dash by how many that are shown have it already. */
export function looksOf(numbers: readonly number[]): { colour: string; dash: number[] }[] {
  const places = numbers.map((number) => Math.max(0, number) % seriesColours)
  return places.map((place, i) => {
    const before = places.slice(0, i).filter((other) => other === place).length
    return { colour: seriesColour(place), dash: dashes[before % dashes.length]! }
  })
}

/** Viridis (van der Walt and Smith 2015), at sevenths. */
const viridis = ['#440154', '#443983', '#31688e', '#21918c', '#35b779', '#90d743', '#fde725'].map(channels)

/** The order of layers as colours: without the end that the background would swallow. */
export function depthColour(index: number, count: number): string {
  const share = count > 1 ? index / (count - 1) : 0
  const [from, to] = dark.matches ? [0.3, 1] : [0, 0.78]
  return mix(viridis, from + (to - from) * share)
}

/** From the surface, 0, to the strongest, 1. */
export function heatColours(count: number): [number, number, number][] {
  const surface = channels(colour('surface'))
  const stops = dark.matches
    ? [surface, channels('#173a5e'), channels('#2f7fc2'), channels('#8cc8f5'), channels('#f2f9ff')]
    : [surface, channels('#c5dff3'), channels('#6aaee0'), channels('#1f6fb2'), channels('#08305e')]
  return Array.from({ length: count }, (_, i) => blend(stops, i / (count - 1)))
}

type Colour = [number, number, number]

/** `#rrggbb`, or `#rgb` as a minifier writes it. */
export function channels(hex: string): Colour {
  const digits = hex.length === 4 ? hex.replaceAll(/[^#]/g, '$&$&') : hex
  const value = Number.parseInt(digits.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

function blend(stops: readonly Colour[], share: number): Colour {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1)
  const low = Math.min(Math.floor(at), stops.length - 2)
  const rest = at - low
  return stops[low]!.map((from, i) => Math.round(from + (stops[low + 1]![i]! - from) * rest)) as Colour
}

const mix = (stops: readonly Colour[], share: number): string => `rgb(${blend(stops, share).join(' ')})`
