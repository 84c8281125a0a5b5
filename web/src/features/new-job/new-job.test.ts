import { expect, it } from "vitest"
import type { Job } from "@/api/jobs"
import type { Plan, RecipeWish } from "@/api/training"
import { fitOf } from "@/lib/fit"
import { named } from "./components/candidates"
import { apiCall, optionsOf } from "./components/command-dialog"
import { advancedFields, kindOf, parseList } from "./form-fields"
import { newJobSearch } from "./search"
import { FIRST_WISH, missing, requestOf, settingOf, type Wish, wishOf, wishOfRecipe, withSetting } from "./wish"

const WISH: Wish = { ...FIRST_WISH, base: "nano", dataset: "d1", name: " 名前 ", settings: { r: 16 } }

it("chooses the control by what the schema allows", () => {
  expect(kindOf({ type: "integer", minimum: 1, maximum: 512 })).toEqual({
    kind: "number",
    min: 1,
    max: 512,
    isWhole: true,
    isOptional: false,
  })
  expect(kindOf({ anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] })).toMatchObject({
    isOptional: true,
    min: 1,
  })
  expect(kindOf({ type: "boolean" })).toEqual({ kind: "switch" })
  expect(kindOf({ type: "string", enum: ["lora", "full"] })).toEqual({ kind: "choice", options: ["lora", "full"] })
  expect(kindOf({ anyOf: [{ type: "array" }, { type: "string" }] })).toEqual({ kind: "list" })
  expect(kindOf({ anyOf: [{ type: "string" }, { type: "null" }] })).toEqual({ kind: "text" })
})

it("folds what does not stand open, and leaves out what HTTP does not take", () => {
  expect(advancedFields({ r: {}, seed: {}, chat_template: {}, packing: {} })).toEqual(["seed", "packing"])
})

it("reads lists with commas of any width", () => {
  expect(parseList("q_proj，ｖ_ｐｒｏｊ、 o_proj")).toEqual(["q_proj", "v_proj", "o_proj"])
})

it("asks the server for what was chosen and nothing else", () => {
  expect(requestOf(WISH)).toMatchObject({ base_model: "nano", dataset_id: "d1", name: "名前", settings: { r: 16 } })
  expect(requestOf({ ...WISH, dataset: null })).toBeNull()
  expect(withSetting(WISH, "r", undefined).settings).toEqual({})
  expect(withSetting(WISH, "seed", 1).settings).toEqual({ r: 16, seed: 1 })
})

const bad = (more: Partial<Plan>) =>
  ({ fits: false, problems: [], memory: null, disk: null, ...more }) as unknown as Plan

it("names the first thing that is missing, and the setting whose value cannot be used", () => {
  const plan = { fits: true } as Plan
  expect(missing({ ...WISH, dataset: null, base: null }, plan)).toEqual({ kind: "dataset" })
  expect(missing({ ...WISH, base: null }, plan)).toEqual({ kind: "base" })
  expect(missing(WISH, undefined)).toEqual({ kind: "plan" })
  expect(missing(WISH, plan)).toBeNull()
  const problems = [{ field: "settings.r" }] as Plan["problems"]
  expect(missing(WISH, bad({ problems }))).toEqual({ kind: "value", field: "r" })
  expect(missing(WISH, bad({ memory: { needed_bytes: 2, free_bytes: 1 } }))).toEqual({ kind: "memory" })
  const disk = { needed_bytes: 2, free_bytes: 3, reserve_bytes: 2 }
  expect(missing(WISH, bad({ disk }))).toEqual({ kind: "disk" })
  expect(missing(WISH, bad({}))).toEqual({ kind: "fit" })
  expect(settingOf("dataset_id")).toBeNull()
})

it("takes a recipe as it is: what it does not name is not chosen, the job's name stays", () => {
  const recipe: RecipeWish = {
    base_model: "nano",
    dataset_id: null,
    eval_dataset_id: "e1",
    replay: { source: "e2", share: 0.4 },
    settings: { r: 3 },
    missing: { data: "shop.jsonl" },
  }
  expect(wishOfRecipe(recipe, "名前")).toEqual({
    ...FIRST_WISH,
    name: "名前",
    base: "nano",
    evalDataset: "e1",
    replay: { source: "e2", share: 0.4 },
    settings: { r: 3 },
  })
})

it("names the jobs of a comparison by letters", () => {
  const request = { base_model: "nano", dataset_id: "d1" }
  expect(named([{ ...request, name: "店" }, request], "店")).toMatchObject([{ name: "店 A" }, { name: "店 B" }])
})

it("calls a model tight that takes more than half of the free memory, and says where all of it is too little", () => {
  expect([fitOf(4, 10), fitOf(6, 10), fitOf(11, 10)]).toEqual(["ample", "tight", "none"])
})

it("begins from a job with what had been chosen for it, not with what was recommended", () => {
  const job = {
    name: "前のジョブ",
    base_model: "nano",
    dataset_id: "d1",
    eval_dataset_id: "e1",
    presets: { preset: "light" },
    settings: { r: 4, seed: 7 },
    reasons: { r: "preset", seed: "set" },
    replay: { name: "前の店", source: "d0", share: 0.4, num_rows: 4 },
  } as unknown as Job
  expect(wishOf(job)).toMatchObject({
    name: "前のジョブ",
    evalDataset: "e1",
    preset: "light",
    settings: { seed: 7 },
    replay: { source: "d0", share: 0.4 },
  })
  expect(requestOf(wishOf(job))?.replay).toEqual({ source: "d0", share: 0.4 })
  expect(requestOf(wishOf({ ...job, replay: null }))).not.toHaveProperty("replay")
})

it("takes from an address only what it knows", () => {
  expect(newJobSearch({ dataset: "d", base: 3, from: "", other: "x" })).toEqual({ dataset: "d" })
})

it("shows commands that a shell takes as they are", () => {
  const request = {
    base_model: "nano",
    dataset_id: "d1",
    name: "it's",
    preset: "light",
    training_preset: "recommended",
  }
  expect(apiCall(request, "http://x")).toContain(`"it'\\''s"`)
  const settings = { r: 16, target_modules: ["q_proj", "v_proj"], system: "二 語" }
  expect(optionsOf({ ...request, settings })).toBe(
    `--model nano --preset light --set r=16 --set target_modules='["q_proj","v_proj"]' --set system='二 語'`,
  )
  expect(optionsOf({ ...request, replay: { source: "d0", share: 0.4 } })).toBe(
    "--model nano --preset light --replay d0 --replay-share 0.4",
  )
})
