import { useState } from "react"
import { useText } from "@/lib/text"
import { Button } from "./button"
import { Icon } from "./icon"

/** Puts a text on the clipboard, and says so. */
export function CopyButton({ text, name }: { text: string; name?: string }) {
  const t = useText()
  const [isCopied, setIsCopied] = useState(false)
  const copy = async () => {
    await copyText(text)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), 2000)
  }
  return (
    <Button look="quiet" onClick={copy}>
      <Icon name={isCopied ? "check" : "copy"} size={16} />
      <span aria-live="polite">{isCopied ? t("web.copied") : (name ?? t("web.copy"))}</span>
    </Button>
  )
}

const COMMAND = "min-w-0 flex-1 self-center overflow-x-auto py-1.5 font-mono text-s max-md:whitespace-pre-wrap" // a phone shows all of it

/** A command as it is pasted into a terminal, with a button that copies it. */
export function CopyCommand({ command, label }: { command: string; label?: string }) {
  return (
    <div className="grid grid-cols-1 gap-1">
      {label ? <p className="text-s text-ink-2">{label}</p> : null}
      <div className="flex items-start gap-2 rounded-medium bg-sunk py-1 pr-1 pl-3">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <pre tabIndex={0} className={COMMAND}>
          {command}
        </pre>
        <CopyButton text={command} />
      </div>
    </div>
  )
}

/** Copies also where browsers have no clipboard: a page served without TLS from another machine. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}
