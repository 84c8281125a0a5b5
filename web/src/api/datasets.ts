import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type DatasetSummary = components["schemas"]["DatasetSummary"]

export const datasetKeys = { all: ["datasets"] as const, list: ["datasets", "list"] as const }

export const datasetQueries = {
  list: () =>
    queryOptions({
      queryKey: datasetKeys.list,
      queryFn: ({ signal }) => call("get", "/api/datasets", { query: { limit: 200 }, signal }),
    }),
}
