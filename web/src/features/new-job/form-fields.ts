import type { Setting } from "@/api/training"

/** The settings that stand open in the form; every other one of the schema is under "advanced". */
export const LORA_FIELDS = ["r", "lora_alpha", "lora_dropout", "target_modules"] as const
export const TRAINING_FIELDS = [
  "learning_rate",
  "num_train_epochs",
  "per_device_train_batch_size",
  "max_length",
] as const
/** Settings of which HTTP takes no value, and lists of stages, which a recipe says better. */
const LEFT_OUT = ["init_adapter", "chat_template", "stages"]

export type FieldKind =
  | { kind: "number"; min?: number; max?: number; isWhole: boolean; isOptional: boolean }
  | { kind: "choice"; options: readonly string[] }
  | { kind: "switch" }
  | { kind: "text" }
  | { kind: "list" }

/** Returns which control a setting gets, from what its JSON Schema allows. */
export function kindOf(setting: Setting): FieldKind {
  if (setting.enum) return { kind: "choice", options: setting.enum }
  const options = setting.anyOf ?? [setting]
  const number = options.find(({ type }) => type === "integer" || type === "number")
  if (number)
    return numberKind(
      number,
      options.some(({ type }) => type === "null"),
    )
  if (options.some(({ type }) => type === "boolean")) return { kind: "switch" }
  return { kind: options.some(({ type }) => type === "array") ? "list" : "text" }
}

function numberKind(number: Setting, isOptional: boolean): FieldKind {
  return { kind: "number", min: number.minimum, max: number.maximum, isWhole: number.type === "integer", isOptional }
}

/** Returns the settings under "advanced", in the order of the schema. */
export function advancedFields(schema: Readonly<Record<string, Setting>>): string[] {
  const open: readonly string[] = [...LORA_FIELDS, ...TRAINING_FIELDS, ...LEFT_OUT]
  return Object.keys(schema).filter((name) => !open.includes(name))
}

/** Returns the parts of a list that was typed with commas of any width. */
export function parseList(typed: string): string[] {
  return typed
    .normalize("NFKC")
    .split(/[,、\s]+/)
    .filter(Boolean)
}
