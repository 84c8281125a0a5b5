import { type ReactNode, useState } from "react"
import { useIsNarrow } from "@/lib/narrow"
import { useText } from "@/lib/text"
import { Button } from "./button"
import { Dialog } from "./dialog"
import { Icon } from "./icon"

/** What is done less often: beside the other buttons, on phones behind one. */
export function More({ children }: { children: ReactNode }) {
  const t = useText()
  const [isOpen, setIsOpen] = useState(false)
  if (!useIsNarrow()) return children
  return (
    <>
      <Button className="order-last px-2" aria-label={t("web.more")} onClick={() => setIsOpen(true)}>
        <Icon name="more" />
      </Button>
      <Dialog title={t("web.more")} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <div className="grid justify-items-start">{children}</div>
      </Dialog>
    </>
  )
}
