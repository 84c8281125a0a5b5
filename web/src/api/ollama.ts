import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { JobSummary } from "./jobs"
import type { components } from "./schema"

export type OllamaServer = components["schemas"]["OllamaServer"]
export type Registration = components["schemas"]["Registration"]
export type QueuedWork = components["schemas"]["QueuedWork"]

export const ollamaKeys = {
  all: ["ollama"] as const,
  server: ["ollama", "server"] as const,
  work: ["ollama", "work"] as const,
  registration: (exportId: string) => ["ollama", "work", "register", exportId] as const,
  downloads: ["ollama", "work", "download"] as const,
}

export const ollamaQueries = {
  /** The Ollama server of the machine, or why there is none. */
  server: () =>
    queryOptions({ queryKey: ollamaKeys.server, queryFn: ({ signal }) => call("get", "/api/ollama", { signal }) }),
  /** The newest registration of an export, at work or ended; null before the first. */
  registration: (exportId: string) =>
    queryOptions({
      queryKey: ollamaKeys.registration(exportId),
      queryFn: async ({ signal }): Promise<JobSummary | null> => {
        const query = { kind: ["register" as const], parent_id: exportId, limit: 1 }
        return (await call("get", "/api/jobs", { query, signal })).items[0] ?? null
      },
    }),
  /** The last downloads by Ollama, at work or ended. */
  downloads: () =>
    queryOptions({
      queryKey: ollamaKeys.downloads,
      queryFn: ({ signal }) => call("get", "/api/jobs", { query: { kind: ["download" as const], limit: 5 }, signal }),
    }),
}

/** Has the Ollama of the machine download a model, as work of the queue. */
export function pullModel(name: string): Promise<QueuedWork> {
  return call("post", "/api/models/pull/{name}", { path: { name } })
}

/** Registers an export in the Ollama of the machine, as work of the queue. */
export function registerExport(wish: Registration): Promise<QueuedWork> {
  return call("post", "/api/ollama/register", { body: wish })
}

/** Gives a name back to what it stood for before. */
export function rollBack(name: string) {
  return call("post", "/api/ollama/rollback", { body: { name } })
}
