import { expect, it } from "vitest"
import type { Model } from "@/api/models"
import { foundModels, hasWords, modelSearch } from "./search"

const model = (name: string, more: Partial<Model>) => ({ name, kind: "ollama", can_train: true, ...more }) as Model
const MODELS = [
  model("gemma3:270m", { can_train: false, license: "gemma", architecture: "gemma3", dtype: "Q4_K_M" }),
  model("nano", { kind: "bundled", license: "cc0-1.0", architecture: "LlamaForCausalLM", dtype: "bfloat16" }),
  model("qwen2.5:0.5b", { license: "apache-2.0", architecture: "qwen2", dtype: "Q4_K_M" }),
]
const names = (search: string) => foundModels(MODELS, search).map(({ name }) => name)

it("finds models of all sources by name, source, architecture, number format and licence", () => {
  expect(names("ollama")).toEqual(["qwen2.5:0.5b", "gemma3:270m"])
  expect(names("ｌｌａｍａ")).toContain("nano") // as an input method leaves it
  expect(names("q4_k_m apache")).toEqual(["qwen2.5:0.5b"])
  expect(names("none of them")).toEqual([])
})

it("shows first what can be trained, and everything without a search", () => {
  expect(names("")).toEqual(["nano", "qwen2.5:0.5b", "gemma3:270m"])
})

it("passes over what is not known of a model", () => {
  expect(hasWords(["nano", null], "null")).toBe(false)
})

it("opens the tab that an address names, and the first one for any other word", () => {
  expect(modelSearch({ tab: "adapters", x: 1 })).toEqual({ tab: "adapters" })
  expect(modelSearch({ tab: "nowhere" })).toEqual({})
})
