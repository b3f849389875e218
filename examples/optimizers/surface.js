// Surfaces over the plane of two weights, and the regions of them that lie below a level.

/** A valley along x, curved twenty times as much across as along its floor; the minimum is at 0, 0. */
export const ravine = {
  view: { x: [-4.3, 2.7], y: [-1.4, 1.4] },
  levels: Array.from({ length: 11 }, (_, i) => (0.17 * (i + 0.5)) ** 2),
  start: [-4, 1.2],
  value: (x, y) => 0.05 * x * x + y * y,
  gradient: (x, y) => [0.1 * x, 2 * y],
}

/** Curved up along x and down along y, with the saddle point at 0, 0; y⁴ ends the descent at the minima 0, ±1. */
export const saddle = {
  view: { x: [-1.65, 1.25], y: [-0.45, 1.45] },
  levels: Array.from({ length: 18 }, (_, i) => 0.1 * i - 0.225),
  start: [-1.5, 0.002], // almost on the ridge
  value: (x, y) => (x * x - y * y) / 2 + (y * y * y * y) / 4,
  gradient: (x, y) => [x, y * y * y - y],
}

/**
 * The closed lines around what lies below the level within the view, as lists of points [x, y], by marching squares. The
 * grid has a rim of infinite height, at which every region ends.
 */
export function outlines({ view, value }, level, columns = 50, rows = 34) {
  const between = ([low, high], share) => low + (high - low) * share
  const node = (i, j) => {
    const point = [between(view.x, (i - 1) / columns), between(view.y, (j - 1) / rows)]
    const inside = i > 0 && j > 0 && i < columns + 2 && j < rows + 2
    return { id: j * (columns + 3) + i, point, height: inside ? value(...point) : Number.POSITIVE_INFINITY }
  }
  const crossings = new Map()
  for (let j = 0; j < rows + 2; j++) {
    for (let i = 0; i < columns + 2; i++) {
      addCell(crossings, [node(i, j), node(i + 1, j), node(i + 1, j + 1), node(i, j + 1)], level)
    }
  }
  return loops(crossings)
}

/** Corners come counterclockwise. Each run of low ones is cut off from where the walk leaves it to where it entered. */
function addCell(crossings, corners, level) {
  const low = corners.map(({ height }) => height < level)
  for (let leave = 0; leave < 4; leave++) {
    if (!low[leave] || low[(leave + 1) % 4]) continue
    let enter = leave
    while (low[enter]) enter = (enter + 3) % 4
    const [from, to] = [corners[leave], corners[(leave + 1) % 4]]
    const share = (level - from.height) / (to.height - from.height)
    const point = from.point.map((a, axis) => a + (to.point[axis] - a) * share)
    crossings.set(edge(from, to), { point, next: edge(corners[enter], corners[(enter + 1) % 4]) })
  }
}

const edge = (a, b) => `${Math.min(a.id, b.id)} ${Math.max(a.id, b.id)}`

/** Neighbouring cells share edges: follows the crossings from cell to cell until they close. */
function loops(crossings) {
  const found = []
  while (crossings.size > 0) {
    const loop = []
    let [key] = crossings.keys()
    while (crossings.has(key)) {
      const { point, next } = crossings.get(key)
      loop.push(point)
      crossings.delete(key)
      key = next
    }
    found.push(loop)
  }
  return found
}
