import { call } from "./client"
import type { Job } from "./jobs"
import type { components } from "./schema"

export type Combination = components["schemas"]["CombinationRequest"]
export type CombineMethod = NonNullable<Combination["method"]>

/** Queues the combination of finished jobs' adapters; its result is a training job like any other. */
export function combineAdapters(wish: Combination): Promise<Job> {
  return call("post", "/api/adapters/combine", { body: wish })
}
