import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Model = components["schemas"]["Model"]

export const modelKeys = { all: ["models"] as const, list: ["models", "list"] as const }

export const modelQueries = {
  list: () =>
    queryOptions({ queryKey: modelKeys.list, queryFn: ({ signal }) => call("get", "/api/models", { signal }) }),
}
