import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Model = components["schemas"]["Model"]

export const modelKeys = {
  all: ["models"] as const,
  list: ["models", "list"] as const,
  catalogue: ["models", "catalogue"] as const,
}

export const modelQueries = {
  list: () =>
    queryOptions({ queryKey: modelKeys.list, queryFn: ({ signal }) => call("get", "/api/models", { signal }) }),
  /** Models that are good to begin with. */
  catalogue: () =>
    queryOptions({
      queryKey: modelKeys.catalogue,
      queryFn: ({ signal }) => call("get", "/api/models/catalogue", { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
}

/** Tells whether a name stands for a model here, and why it cannot be trained. */
export function checkModel(name: string) {
  return call("get", "/api/models/check/{name}", { path: { name } })
}
