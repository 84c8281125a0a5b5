const AMPLE = 0.5 // of the free memory: activations come on top of what a model takes at least

/** Returns how well a model fits that takes at least `needed` bytes of `free` ones. */
export function fitOf(needed: number, free: number): "ample" | "tight" | "none" {
  if (needed > free) return "none"
  return needed <= AMPLE * free ? "ample" : "tight"
}
