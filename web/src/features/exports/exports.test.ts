import { expect, it } from "vitest"
import type { Export, ExportCheck, ExportFile } from "@/api/exports"
import type { Model } from "@/api/models"
import { factsOf, stateOf, wordsOf, worstCheck } from "./checks"
import { isOllamaName } from "./ollama"
import { firstChoice, sizeOf, totalOf } from "./quantizations"
import { newExportSearch } from "./search"
import { worthOf } from "./worth"

const check = (name: string, measured: Record<string, unknown>, more: Partial<ExportCheck> = {}): ExportCheck => ({
  check: name,
  ok: true,
  measured,
  limits: {},
  cause: null,
  detail: "",
  text: null,
  ...more,
})
const file = (name: string, verdict: string | null, checks: ExportCheck[] = []): ExportFile => ({
  file: name,
  quantization: "Q4_K_M",
  size_bytes: 400,
  sha256: "",
  verdict,
  checks,
})
const model = (num_parameters: number, dtype = "bfloat16") => ({ num_parameters, dtype }) as Model
const words = (key: string, values = {}) => `${key} ${JSON.stringify(values)}`

it("tells a loss from a mistake and from a whole file", () => {
  expect(stateOf(check("answers", { num_kept: 7, num_known: 7 }))).toBe("good")
  expect(stateOf(check("answers", { num_kept: 2, num_known: 7 }))).toBe("warn")
  expect(stateOf(check("update", { share: 0.1, is_lost: true }))).toBe("warn")
  expect(stateOf(check("tensors", {}, { ok: false }))).toBe("bad")
})

it("puts a check in words with its number, and a failed one with its cause", () => {
  expect(wordsOf(check("update", { share: 0.9978 }), words)).toContain('"share":99.7')
  expect(wordsOf(check("logprobs", { kl: 0.0399, top1_agreement: 0.903 }), words)).toMatch(/"kl":"0.0399".*"same":90/)
  expect(wordsOf(check("engine", {}), words)).toContain("found.passed")
  const failed = check("tensors", {}, { ok: false, text: "重みの値が違います。", detail: "blk.0" })
  expect(wordsOf(failed, words)).toBe("重みの値が違います。 blk.0")
})

it("finds what to mend first, and the facts that were kept", () => {
  const lost = check("answers", { num_kept: 2, num_known: 7 })
  const wrong = check("order", {}, { ok: false })
  expect(worstCheck(file("a", "failed", [lost, wrong]))).toBe(wrong)
  expect(worstCheck(file("a", "lossy", [lost]))).toBe(lost)
  expect(factsOf(file("a", "lossy", [lost]))).toEqual({ kept: 2, known: 7 })
  expect(factsOf(file("a", null))).toBeNull()
})

it("judges an export by the file to use, and where there is none by the worst", () => {
  const files = [file("a.gguf", "verified"), file("b.gguf", "lossy")]
  expect(worthOf({ files, model_file: "b.gguf" } as Export)).toMatchObject({ kind: "lossy", verified: 1, total: 2 })
  expect(worthOf({ files: [file("a", "failed")], model_file: null } as Export).kind).toBe("failed")
  expect(worthOf({ files: [], model_file: null } as unknown as Export).kind).toBe("none")
})

it("knows sizes from earlier files of the same base, reckons large ones, and keeps silent about the rest", () => {
  const earlier = [{ files: [file("a", null)] }] as Export[]
  expect(sizeOf("Q4_K_M", 4.9, model(1e9), earlier)).toEqual({ bytes: 400, isEstimated: false })
  expect(sizeOf("Q4_K_M", 4.9, model(1e9), [])).toEqual({ bytes: 612_500_000, isEstimated: true })
  expect(sizeOf("Q4_K_M", 4.9, model(5e6), [])).toBeNull()
  expect(totalOf(["F16", "Q4_K_M"], model(1e9), earlier)).toEqual({ bytes: 2_000_000_400, isEstimated: true })
  expect(totalOf(["stitched"], model(1e9), earlier)).toBeNull()
})

it("chooses at first what the address names, else what suits the base", () => {
  expect(firstChoice(model(1, "Q4_0"), undefined)).toEqual(["stitched"])
  expect(firstChoice(model(1), undefined)).toEqual(["F16", "Q4_K_M"])
  expect(firstChoice(undefined, "Q8_0")).toEqual(["Q8_0"])
  expect(newExportSearch({ job: "j", quantization: 3 })).toEqual({ job: "j" })
})

it.each([
  ["shop-2", true],
  ["shop:v1", true],
  ["星川", false],
  ["Shop", false],
  ["", false],
  ["a:b:c", false],
  ["a:", false],
])("tells whether Ollama takes the name %s", (name, isFit) => expect(isOllamaName(name)).toBe(isFit))
