import type { Export } from "@/api/exports"
import type { Model } from "@/api/models"

/** The base's own GGUF file, in which only what training changed is written anew. */
export const STITCHED = "stitched"
export const RECOMMENDED = "Q4_K_M"

/** What a model can be written as, the finest first, with the bits that one weight takes. */
export const QUANTIZATIONS = [
  { name: "F32", bits: 32 },
  { name: "F16", bits: 16 },
  { name: "BF16", bits: 16 },
  { name: "Q8_0", bits: 8.5 },
  { name: "Q6_K", bits: 6.6 },
  { name: "Q5_K_M", bits: 5.7 },
  { name: "Q4_K_M", bits: 4.9 },
  { name: "Q4_K_S", bits: 4.6 },
  { name: "Q4_0", bits: 4.6 },
  { name: "Q3_K_M", bits: 3.9 },
  { name: "Q2_K", bits: 3.2 },
] as const
export type QuantizationName = (typeof QUANTIZATIONS)[number]["name"]

export interface Size {
  bytes: number
  /** Reckoned of the number of weights, not measured on a file. */
  isEstimated: boolean
}

const LARGE = 100_000_000 // weights; below it, what stays in finer types makes coarse files larger than reckoned
const FINEST_COARSE = 8 // bits

/**
 * Returns how large a file of a quantization becomes: as large as one of the same base model was, else what the number
 * of its weights says; null where neither tells it.
 */
export function sizeOf(
  name: string,
  bits: number,
  model: Model | undefined,
  ofSameBase: readonly Export[],
): Size | null {
  const known = ofSameBase.flatMap(({ files }) => files).find(({ quantization }) => quantization === name)
  if (known) return { bytes: known.size_bytes, isEstimated: false }
  const count = model?.num_parameters
  if (!count || (bits < FINEST_COARSE && count < LARGE)) return null
  return { bytes: (count * bits) / 8, isEstimated: true }
}

/** Tells whether a base model lies in a GGUF file: there types have names like `Q4_0`, elsewhere like `bfloat16`. */
export function isGguf(model: Model | undefined): boolean {
  return /^[A-Z]/.test(model?.dtype ?? "")
}

/** Returns what is chosen at first: what the address names, else what suits the base. */
export function firstChoice(model: Model | undefined, named: string | undefined): string[] {
  if (named) return [named]
  return isGguf(model) ? [STITCHED] : ["F16", RECOMMENDED]
}

/** Returns how large the chosen files become together, null where one of them is not known. */
export function totalOf(
  names: readonly string[],
  model: Model | undefined,
  ofSameBase: readonly Export[],
): Size | null {
  const sizes = names.map((name) => {
    const bits = QUANTIZATIONS.find((known) => known.name === name)?.bits
    return bits === undefined ? null : sizeOf(name, bits, model, ofSameBase)
  })
  const known = sizes.filter((size) => size !== null)
  if (names.length === 0 || known.length < sizes.length) return null
  return {
    bytes: known.reduce((sum, { bytes }) => sum + bytes, 0),
    isEstimated: known.some(({ isEstimated }) => isEstimated),
  }
}
