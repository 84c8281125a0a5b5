import { expect, it } from "vitest"
import type { Job } from "@/api/jobs"
import type { Plan } from "@/api/training"
import { apiCall, optionsOf } from "./components/command-dialog"
import { advancedFields, kindOf, parseList } from "./form-fields"
import { newJobSearch } from "./search"
import { FIRST_WISH, missing, requestOf, type Wish, wishOf, withSetting } from "./wish"

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

it("names the first thing that is missing", () => {
  const plan = { fits: true } as Plan
  expect(missing({ ...WISH, dataset: null, base: null }, plan)).toBe("dataset")
  expect(missing({ ...WISH, base: null }, plan)).toBe("base")
  expect(missing(WISH, undefined)).toBe("plan")
  expect(missing(WISH, { fits: false } as Plan)).toBe("fit")
  expect(missing(WISH, plan)).toBeNull()
})

it("begins from a job with what had been chosen for it, not with what was recommended", () => {
  const job = {
    name: "前のジョブ",
    base_model: "nano",
    dataset_id: "d1",
    presets: { preset: "light" },
    settings: { r: 4, seed: 7 },
    reasons: { r: "preset", seed: "set" },
  } as unknown as Job
  expect(wishOf(job)).toMatchObject({ name: "前のジョブ", preset: "light", settings: { seed: 7 } })
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
})
