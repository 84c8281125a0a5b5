import { NextStep } from "@/components/next/next-step"
import { toast } from "@/components/ui/toast"
import type { Translate } from "@/lib/text"
import { errorWords } from "./error-words"

/** Says why something was not done and what to do next, where the page has no place of its own for it. */
export function toastError(error: unknown, t: Translate): void {
  const { detail, hint, code, action } = errorWords(error, t)
  toast(detail, { tone: "bad", hint, code, next: action ? <NextStep action={action} /> : null })
}
