import type { ReactNode } from "react"
import { LongName } from "@/components/ui/long-name"

/** The frame of a page: its heading, what can be done with it, and the content. The heading also names the window. */
export function Page({
  title,
  over,
  under,
  actions,
  children,
}: {
  title: string
  over?: ReactNode
  under?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <>
      <title>{`${title} · llmlora`}</title>
      <div className="mb-4 flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          {over ? <div className="text-14 text-ink-2">{over}</div> : null}
          <h1 tabIndex={-1}>
            <LongName>{title}</LongName>
          </h1>
          {under ? <div className="mt-0.5 text-14 text-ink-2">{under}</div> : null}
        </div>
        {actions ? <div className="flex flex-wrap gap-2 max-md:w-full">{actions}</div> : null}
      </div>
      {children}
    </>
  )
}
