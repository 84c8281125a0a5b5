/** How often all requests together may be repeated, so that a server that is down is not hammered. */
export class RetryBudget {
  private left: number
  private since: number

  constructor(
    private readonly size = 10,
    private readonly perSecond = 0.5,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.left = size
    this.since = now()
  }

  /** Takes one repetition; false when none is left. */
  take(): boolean {
    const now = this.now()
    this.left = Math.min(this.size, this.left + ((now - this.since) / 1000) * this.perSecond)
    this.since = now
    if (this.left < 1) return false
    this.left -= 1
    return true
  }
}

/** Returns the pause before a repetition in milliseconds: doubling, with chance so that tabs do not ask in step. */
export function pauseBefore(repetition: number, chance = Math.random()): number {
  return Math.min(4000, 250 * 2 ** repetition) * (0.5 + chance / 2)
}
