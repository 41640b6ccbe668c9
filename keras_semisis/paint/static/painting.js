// A label map that is painted: its ids, what was before, and the shapes of the tools.

const MOST_UNDO = 200

export class Painting {
  constructor(width, height, labels) {
    this.width = width
    this.height = height
    this.begin(labels)
  }

  // Another scene; undo leads back to the former one.
  begin(labels) {
    if (this.labels) this.remember()
    else [this.past, this.future] = [[], []]
    this.labels = Uint16Array.from(labels)
    this.ground = Uint16Array.from(labels)
  }

  remember() {
    this.past.push([this.labels.slice(), this.ground])
    if (this.past.length > MOST_UNDO) this.past.shift()
    this.future = []
  }

  // Forgets the last memory if nothing has changed since.
  forgetIfSame() {
    const [labels] = this.past[this.past.length - 1]
    if (labels.every((label, i) => label === this.labels[i])) this.past.pop()
  }

  undo() {
    this.step(this.past, this.future)
  }

  redo() {
    this.step(this.future, this.past)
  }

  step(from, to) {
    if (!from.length) return
    to.push([this.labels, this.ground])
    ;[this.labels, this.ground] = from.pop()
  }

  // A disk; without a label it is what the scene began with.
  dab(x, y, size, label) {
    const radius = size / 2
    const [left, top] = [Math.floor(x - radius), Math.floor(y - radius)]
    for (let row = Math.max(0, top); row <= Math.min(this.height - 1, top + size + 1); row++) {
      for (let column = Math.max(0, left); column <= Math.min(this.width - 1, left + size + 1); column++) {
        const inside = size < 2
          ? column === Math.floor(x) && row === Math.floor(y)
          : (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= radius ** 2
        const i = row * this.width + column
        if (inside) this.labels[i] = label === null ? this.ground[i] : label
      }
    }
  }

  line(from, to, size, label) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)))
    for (let i = 0; i <= steps; i++) {
      this.dab(from.x + ((to.x - from.x) * i) / steps, from.y + ((to.y - from.y) * i) / steps, size, label)
    }
  }

  fill(x, y, label) {
    const start = Math.floor(y) * this.width + Math.floor(x)
    const before = this.labels[start]
    if (before === label) return
    const open = [start]
    this.labels[start] = label
    while (open.length) {
      const i = open.pop()
      const column = i % this.width
      const near = [column > 0 ? i - 1 : -1, column < this.width - 1 ? i + 1 : -1, i - this.width, i + this.width]
      for (const next of near) {
        if (next >= 0 && next < this.labels.length && this.labels[next] === before) {
          this.labels[next] = label
          open.push(next)
        }
      }
    }
  }
}
