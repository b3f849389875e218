/**
 * Algorithm 2 of Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), word for word, on recorded curves:
 * rungs are lists that grow, and promoted ones are marked. It knows nothing of the package.
 */
export class AshaOfThePaper {
  constructor({ reduction, minimum, maximum, curves }) {
    Object.assign(this, { reduction, minimum, curves })
    this.top = Math.floor(Math.log(maximum / minimum) / Math.log(reduction) + 1e-9)
    this.rungs = Array.from({ length: this.top + 1 }, () => [])
    this.promoted = Array.from({ length: this.top + 1 }, () => new Set())
    this.begun = 0
  }

  /** Epochs that a job of this rung trains to. */
  epochs(rung) {
    return this.minimum * this.reduction ** rung
  }

  completed({ trial, rung }) {
    this.rungs[rung].push({ trial, loss: this.curves[trial][this.epochs(rung) - 1] })
  }

  getJob() {
    for (let k = this.top - 1; k >= 0; k--) {
      const sorted = [...this.rungs[k]].sort((a, b) => a.loss - b.loss || a.trial - b.trial)
      const candidates = sorted.slice(0, Math.floor(this.rungs[k].length / this.reduction))
      const promotable = candidates.filter(({ trial }) => !this.promoted[k].has(trial))
      if (promotable.length > 0) {
        this.promoted[k].add(promotable[0].trial)
        return { trial: promotable[0].trial, rung: k + 1 }
      }
    }
    return this.begun < this.curves.length ? { trial: this.begun++, rung: 0 } : null
  }
}
