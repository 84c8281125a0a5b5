import type { Job, TrainingRequest } from "@/api/jobs"
import { chosenSettings, type Plan, type PlanRequest, RECOMMENDED, type RecipeWish } from "@/api/training"

export type Replay = { source: string; share: number }

/** What has been chosen; null is not chosen yet, settings are only those that differ from what is recommended. */
export interface Wish {
  name: string
  base: string | null
  dataset: string | null
  evalDataset: string | null
  /** Earlier data to mix in: the id of a dataset or of a job, and its share of all rows. */
  replay: Replay | null
  preset: string
  trainingPreset: string
  settings: Readonly<Record<string, unknown>>
}

export const FIRST_WISH: Wish = {
  name: "",
  base: null,
  dataset: null,
  evalDataset: null,
  replay: null,
  preset: RECOMMENDED,
  trainingPreset: RECOMMENDED,
  settings: {},
}

/** Returns the wish that led to a job, to change something and start again. */
export function wishOf(job: Job): Wish {
  return {
    name: job.name,
    base: job.base_model,
    dataset: job.dataset_id,
    evalDataset: job.eval_dataset_id,
    replay: job.replay?.source ? { source: job.replay.source, share: job.replay.share } : null,
    preset: job.presets.preset ?? RECOMMENDED,
    trainingPreset: job.presets.training_preset ?? RECOMMENDED,
    settings: chosenSettings(job),
  }
}

/** Returns the wish that a recipe asks for; the name stays. */
export function wishOfRecipe(recipe: RecipeWish, name: string): Wish {
  return {
    ...FIRST_WISH,
    name,
    base: recipe.base_model,
    dataset: recipe.dataset_id,
    evalDataset: recipe.eval_dataset_id,
    replay: recipe.replay,
    settings: recipe.settings,
  }
}

/** Returns a wish with one setting chosen, or left to what is recommended again (undefined). */
export function withSetting(wish: Wish, name: string, value: unknown): Wish {
  const { [name]: _, ...others } = wish.settings
  return { ...wish, settings: value === undefined ? others : { ...others, [name]: value } }
}

/** Returns what the server is asked, null as long as model or data are missing. */
export function requestOf(wish: Wish): PlanRequest | null {
  if (wish.base === null || wish.dataset === null) return null
  return {
    base_model: wish.base,
    dataset_id: wish.dataset,
    eval_dataset_id: wish.evalDataset,
    name: wish.name.trim() || null,
    preset: wish.preset,
    training_preset: wish.trainingPreset,
    settings: { ...wish.settings },
    ...(wish.replay ? { replay: wish.replay } : {}),
  }
}

/** Returns a request as it is started: of one dataset. */
export function startOf(request: PlanRequest): TrainingRequest {
  return { ...request, dataset_ids: [], shares: null }
}

/** What keeps a job from being started; `field` is the setting whose value cannot be used. */
export type Lack = { kind: "dataset" | "base" | "plan" | "memory" | "disk" | "fit" } | { kind: "value"; field: string }

/** Returns the first thing that is missing, null if nothing is. */
export function missing(wish: Wish, plan: Plan | undefined): Lack | null {
  if (wish.dataset === null) return { kind: "dataset" }
  if (wish.base === null) return { kind: "base" }
  if (plan === undefined) return { kind: "plan" }
  if (plan.fits) return null
  const field = plan.problems.map((problem) => settingOf(problem.field)).find((name) => name !== null)
  if (field) return { kind: "value", field }
  const { memory, disk } = plan
  if (memory && memory.needed_bytes > memory.free_bytes) return { kind: "memory" }
  if (disk && disk.needed_bytes + disk.reserve_bytes > disk.free_bytes) return { kind: "disk" }
  return { kind: "fit" }
}

/** Returns the setting that a problem is about, null where it is about something else. */
export function settingOf(field: string): string | null {
  return field.startsWith("settings.") ? field.slice("settings.".length) : null
}
