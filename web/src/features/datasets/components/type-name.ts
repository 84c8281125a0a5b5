import { type TextKey, useText } from "@/lib/text"

export const TYPES = {
  instruction: "web.datasets.type_instruction",
  chat: "web.datasets.type_chat",
  completion: "web.datasets.type_completion",
  text: "web.datasets.type_text",
} as const satisfies Record<string, TextKey>

/** Returns the function that words the type of a dataset. */
export function useTypeName(): (type: string | null) => string {
  const t = useText()
  return (type) => (type !== null && type in TYPES ? t(TYPES[type as keyof typeof TYPES]) : "–")
}
