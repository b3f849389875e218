/** Pictures that wait to be drawn: those that are seen come first, and no more in one go than keeps the page smooth. */

export interface Picture {
  readonly canvas: HTMLCanvasElement
  /** In CSS pixels. */
  drawAt(width: number): void
}

/** Milliseconds of a frame after which no other picture is begun. */
const budget = 12

const waiting = new Set<Picture>()
let drawn: Promise<void> = Promise.resolve()
let tell = () => {}

/** However often it is asked for until then, it is drawn once. */
export function askToDraw(picture: Picture): void {
  if (waiting.size === 0) {
    drawn = new Promise((resolve) => {
      tell = resolve
    })
    requestAnimationFrame(drawSome)
  }
  waiting.add(picture)
}

/** Settles when none waits. */
export const allDrawn = (): Promise<void> => drawn

function drawSome(): void {
  const begun = performance.now()
  // All of them are looked at before one is drawn: to ask in between would lay out the page once for each.
  const placed = [...waiting].map((picture) => {
    const { top, bottom } = picture.canvas.getBoundingClientRect()
    return { picture, width: picture.canvas.clientWidth, away: Math.max(0, top - innerHeight, -bottom) }
  })
  try {
    for (const { picture, width } of placed.sort((a, b) => a.away - b.away)) {
      waiting.delete(picture)
      picture.drawAt(width)
      if (performance.now() - begun > budget) break
    }
  } finally {
    if (waiting.size > 0) requestAnimationFrame(drawSome)
    else tell()
  }
}
