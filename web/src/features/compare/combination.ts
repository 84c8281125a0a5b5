import type { Combination, CombineMethod } from "@/api/adapters"
import type { Comparison } from "@/api/comparisons"

/** How adapters can be combined: the first two take any ranks, those that drop numbers take a density. */
export const METHODS = ["svd", "cat", "linear", "ties", "dare_linear", "dare_ties"] as const satisfies CombineMethod[]
const DROPPING: readonly CombineMethod[] = ["ties", "dare_linear", "dare_ties"]
const LARGEST = 1000

/** What has been chosen for a combination; null leaves a number to the server. */
export interface Choice {
  name: string
  method: CombineMethod
  weights: readonly (number | null)[]
  density: number | null
}

/** Tells whether jobs can be combined: all finished, on one base. */
export function canCombine({ jobs, differences }: Comparison): boolean {
  return jobs.every(({ status }) => status === "succeeded") && !differences.some(({ field }) => field === "base_digest")
}

/** Tells whether a method drops numbers, and so takes the share of those that stay. */
export function dropsNumbers(method: CombineMethod): boolean {
  return DROPPING.includes(method)
}

/** Returns the weights that are used: those not given count as one part of all. */
export function weightsOf(given: readonly (number | null)[]): number[] {
  return given.map((weight) => weight ?? Math.round(LARGEST / given.length) / LARGEST)
}

/** Returns what the server is asked for; without any weight of one's own all count alike. */
export function requestOf(jobIds: readonly string[], { name, method, weights, density }: Choice): Combination {
  return {
    job_ids: [...jobIds],
    name: name.trim() || null,
    method,
    weights: weights.every((weight) => weight === null) ? null : weightsOf(weights),
    density: dropsNumbers(method) ? density : null,
  }
}
