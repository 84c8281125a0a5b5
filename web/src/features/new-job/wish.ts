import type { Job } from "@/api/jobs"
import type { Plan, PlanRequest } from "@/api/training"

/** What has been chosen; null is not chosen yet, settings are only those that differ from what is recommended. */
export interface Wish {
  name: string
  base: string | null
  dataset: string | null
  preset: string
  trainingPreset: string
  settings: Readonly<Record<string, unknown>>
}

export const FIRST_WISH: Wish = {
  name: "",
  base: null,
  dataset: null,
  preset: "recommended",
  trainingPreset: "recommended",
  settings: {},
}

/** Returns the wish that led to a job, to change something and start again. */
export function wishOf(job: Job): Wish {
  const chosen = Object.entries(job.settings).filter(([name]) => job.reasons[name] === "set")
  return {
    name: job.name,
    base: job.base_model,
    dataset: job.dataset_id,
    preset: job.presets.preset ?? FIRST_WISH.preset,
    trainingPreset: job.presets.training_preset ?? FIRST_WISH.trainingPreset,
    settings: Object.fromEntries(chosen),
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
    name: wish.name.trim() || null,
    preset: wish.preset,
    training_preset: wish.trainingPreset,
    settings: { ...wish.settings },
  }
}

/** Returns what keeps a job from being started: the first thing that is missing, null if nothing is. */
export function missing(wish: Wish, plan: Plan | undefined): "dataset" | "base" | "fit" | "plan" | null {
  if (wish.dataset === null) return "dataset"
  if (wish.base === null) return "base"
  if (plan === undefined) return "plan"
  return plan.fits ? null : "fit"
}
