import { useState } from "react"
import { Button } from "@/components/ui/button"
import { INPUT } from "@/components/ui/field"
import { toast } from "@/components/ui/toast"
import { isEnter } from "@/lib/keys"
import { useText } from "@/lib/text"
import { clear, type Place, stop } from "../threads"

/** Where the question is written; it goes to every column. */
export function Composer({
  place,
  isRunning,
  canClear,
  onSend,
}: {
  place: Place
  isRunning: boolean
  canClear: boolean
  onSend: (question: string) => void
}) {
  const t = useText()
  const [draft, setDraft] = useState("")
  const send = () => {
    if (isRunning || draft.trim() === "") return
    onSend(place.mode === "chat" ? draft.trim() : draft)
    setDraft("")
  }
  const label = t(place.mode === "text" ? "web.chat.beginning" : "web.chat.question")
  return (
    <div className="sticky bottom-0 -mx-4 rounded-b-large border-t bg-sheet px-4 py-3 max-md:bottom-15">
      <textarea
        rows={2}
        aria-label={label}
        placeholder={label}
        className={`${INPUT} field-sizing-content max-h-60 resize-none`}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (!isEnter(event.nativeEvent)) return
          event.preventDefault()
          send()
        }}
      />
      <div className="mt-1.5 flex flex-wrap items-center justify-end gap-2">
        <p className="mr-auto text-xs text-ink-3 max-md:hidden">{t("web.chat.keys")}</p>
        {canClear && !isRunning ? (
          <Button look="quiet" onClick={() => toast(t("web.chat.cleared"), { undo: clear(place) })}>
            {t("web.chat.clear")}
          </Button>
        ) : null}
        {isRunning ? (
          <Button onClick={() => stop(place)}>{t("web.chat.stop")}</Button>
        ) : (
          <Button look="main" disabled={draft.trim() === ""} onClick={send}>
            {t(place.mode === "text" ? "web.chat.continue" : "web.chat.send")}
          </Button>
        )}
      </div>
    </div>
  )
}
