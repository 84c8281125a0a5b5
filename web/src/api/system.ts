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

export type DoctorReport = components["schemas"]["DoctorReport"]
export type Check = components["schemas"]["Check"]

export const healthQueries = {
  doctor: () =>
    queryOptions({
      queryKey: ["system", "doctor"] as const,
      queryFn: ({ signal }) => call("get", "/api/doctor", { signal }),
    }),
  log: () =>
    queryOptions({
      queryKey: ["system", "log"] as const,
      queryFn: ({ signal }) => call("get", "/api/logs/server", { query: { tail: 200 }, signal }),
    }),
}
