import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Settings = components["schemas"]["Settings"]
export type WorkspaceSettings = components["schemas"]["WorkspaceSettings"]
export type SettingsChange = components["schemas"]["SettingsChange"]

export const settingsKeys = { all: ["settings"] as const }

export const settingsQueries = {
  all: () =>
    queryOptions({
      queryKey: settingsKeys.all,
      queryFn: ({ signal }) => call("get", "/api/settings", { signal }),
    }),
}

/** Changes some settings; null gives one its default again. */
export function changeSettings(changes: SettingsChange): Promise<Settings> {
  return call("patch", "/api/settings", { body: changes })
}
