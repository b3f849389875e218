/** The first so many in that order, which leaves no two equal: to sort all ten thousand takes longer than to show these. */
export function firstOf<Item>(items: readonly Item[], most: number, compare: (a: Item, b: Item) => number): Item[] {
  const first: Item[] = []
  for (const item of items) {
    if (first.length === most && compare(item, first.at(-1)!) > 0) continue
    let [from, to] = [0, first.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (compare(first[middle]!, item) < 0) from = middle + 1
      else to = middle
    }
    first.splice(from, 0, item)
    if (first.length > most) first.pop()
  }
  return first
}
