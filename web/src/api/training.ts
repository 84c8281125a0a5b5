import { keepPreviousData, queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Plan = components["schemas"]["Plan"]
export type PlanRequest = components["schemas"]["PlanRequest"]
export type Preset = components["schemas"]["Preset"]

/** What the JSON Schema of the server says of one setting. */
export interface Setting {
  type?: string
  enum?: readonly string[]
  anyOf?: readonly Setting[]
  default?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
}

export const trainingQueries = {
  schema: () =>
    queryOptions({
      queryKey: ["training", "schema"] as const,
      queryFn: async ({ signal }) => {
        const { schema } = await call("get", "/api/training/schema", { signal })
        return schema.properties as Record<string, Setting>
      },
      staleTime: Number.POSITIVE_INFINITY,
    }),
  presets: () =>
    queryOptions({
      queryKey: ["training", "presets"] as const,
      queryFn: ({ signal }) => call("get", "/api/presets", { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  /** What a job would do and need; the plan before stays until the next is there. */
  plan: (wish: PlanRequest | null) =>
    queryOptions({
      queryKey: ["training", "plan", wish] as const,
      queryFn: ({ signal }) => call("post", "/api/training/plan", { body: wish as PlanRequest, signal }),
      enabled: wish !== null,
      placeholderData: keepPreviousData,
    }),
}
