import { errorWords } from "@/components/states/error-words"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"

/** Returns how a step that failed is said: below its button another error would push the page around. */
export function useSayError() {
  const t = useText()
  return (error: unknown) => {
    const { detail, hint, code } = errorWords(error, t)
    toast(detail, { tone: "bad", hint, code })
  }
}
