import type { ReactNode } from "react"
import { LongName } from "@/components/ui/long-name"
import { More } from "@/components/ui/more"
import { useIsNarrow } from "@/lib/narrow"

// A last button without a border ends with its words where everything else on the page ends.
const TO_THE_EDGE = "md:[&>.bg-transparent:last-child]:-mr-3.5"

/**
 * The frame of a page: its heading, what can be done with it, and the content. The heading also names the window.
 *
 * What is done less often (`more`) comes before the other buttons, on phones behind one button beside the heading.
 */
export function Page({
  title,
  over,
  under,
  actions,
  more,
  children,
}: {
  title: string
  over?: ReactNode
  under?: ReactNode
  actions?: ReactNode
  more?: ReactNode
  children: ReactNode
}) {
  const isNarrow = useIsNarrow()
  return (
    <>
      <title>{`${title} · llmlora`}</title>
      <div className="mb-4 flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0 max-md:flex-1">
          {over ? <div className="text-14 text-ink-2">{over}</div> : null}
          <h1 tabIndex={-1}>
            <LongName>{title}</LongName>
          </h1>
          {under ? <div className="mt-0.5 text-14 text-ink-2">{under}</div> : null}
        </div>
        {isNarrow && more ? <More>{more}</More> : null}
        <div className={`flex flex-wrap gap-2 empty:hidden max-md:w-full ${TO_THE_EDGE}`}>
          {isNarrow ? null : more}
          {actions}
        </div>
      </div>
      {children}
    </>
  )
}
