import { type ReactNode, useState } from "react"
import { useText } from "@/lib/text"
import { Button } from "./button"
import { Dialog } from "./dialog"
import { Icon } from "./icon"

/** What is done less often, behind one button. */
export function More({ children }: { children: ReactNode }) {
  const t = useText()
  const [isOpen, setIsOpen] = useState(false)
  return (
    <>
      <Button className="flex-none px-2" aria-label={t("web.more")} onClick={() => setIsOpen(true)}>
        <Icon name="more" />
      </Button>
      <Dialog title={t("web.more")} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        <div className="grid justify-items-start">{children}</div>
      </Dialog>
    </>
  )
}
