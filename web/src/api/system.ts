import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type SystemInfo = components["schemas"]["SystemInfo"]

const EVERY = 5000 // milliseconds between looks at the machine

export const systemQueries = {
  info: () =>
    queryOptions({
      queryKey: ["system", "info"] as const,
      queryFn: ({ signal }) => call("get", "/api/system-info", { signal }),
      refetchInterval: EVERY,
    }),
}
