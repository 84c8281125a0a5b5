import { Dialog as Base } from "@base-ui/react/dialog"
import type { ReactNode } from "react"
import { useText } from "@/lib/text"
import { buttonClass } from "./button"
import { Icon } from "./icon"

/** A question or a form over the page; Escape and the cross close it, the focus goes back where it came from. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  actions,
}: {
  title: ReactNode
  isOpen: boolean
  onClose: () => void
  children: ReactNode
  actions?: ReactNode
}) {
  const t = useText()
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-20 bg-[rgb(20_22_26/45%)]" />
        <Base.Popup className="fixed top-1/2 left-1/2 z-30 grid max-h-[88dvh] w-[min(600px,calc(100vw-32px))] -translate-1/2 grid-rows-[auto_minmax(0,1fr)_auto] rounded-large border bg-sheet">
          <div className="flex items-start justify-between gap-3 px-5 pt-4 pb-2">
            <Base.Title className="text-l">{title}</Base.Title>
            <Base.Close className={buttonClass("quiet", "-mr-2 px-2")} aria-label={t("web.close")}>
              <Icon name="close" />
            </Base.Close>
          </div>
          <div className="overflow-y-auto px-5 pb-4">{children}</div>
          {actions ? <div className="flex flex-wrap justify-end gap-2 border-t px-5 py-3">{actions}</div> : null}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
