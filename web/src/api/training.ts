import { keepPreviousData, queryOptions } from "@tanstack/react-query"
import { call, readText } from "./client"
import type { Job } from "./jobs"
import type { components } from "./schema"

export type Plan = components["schemas"]["Plan"]
export type PlanRequest = components["schemas"]["PlanRequest"]
export type RecipeWish = components["schemas"]["RecipeWish"]
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

/** The preset that takes what is recommended for model and data. */
export const RECOMMENDED = "recommended"

export const trainingKeys = { plans: ["training", "plan"] as const }

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
  /** The recipe of a job that is not started, as YAML. */
  recipe: (wish: PlanRequest) =>
    queryOptions({
      queryKey: ["training", "recipe", wish] as const,
      queryFn: ({ signal }) => readText("/api/training/recipes/write", { body: wish, signal }),
    }),
  /** What a job would do and need; the plan before stays until the next is there. */
  plan: (wish: PlanRequest | null) =>
    queryOptions({
      queryKey: [...trainingKeys.plans, wish] as const,
      queryFn: ({ signal }) => call("post", "/api/training/plan", { body: wish as PlanRequest, signal }),
      enabled: wish !== null,
      placeholderData: keepPreviousData,
    }),
}

/** Returns what a recipe file asks for, with the names of this workspace. */
export function readRecipe(text: string, fileName: string): Promise<RecipeWish> {
  return call("post", "/api/training/recipes/read", { body: { text, file_name: fileName } })
}

/** Returns the settings of a job that were chosen for it, and not recommended. */
export function chosenSettings({ settings, reasons }: Job): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => reasons[name] === "set"))
}

/** Returns what a job was asked for, to plan it again; null where its data or its model is not known any more. */
export function requestOfJob(job: Job): PlanRequest | null {
  const { base_model, dataset_id, eval_dataset_id, name, presets, replay } = job
  if (base_model === null || dataset_id === null) return null
  return {
    base_model,
    dataset_id,
    eval_dataset_id,
    name,
    preset: presets.preset ?? RECOMMENDED,
    training_preset: presets.training_preset ?? RECOMMENDED,
    settings: chosenSettings(job),
    ...(replay?.source ? { replay: { source: replay.source, share: replay.share } } : {}),
  }
}
