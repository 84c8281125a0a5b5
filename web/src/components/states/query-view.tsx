import type { UseQueryResult } from "@tanstack/react-query"
import { Fragment, type ReactNode } from "react"
import { Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { useText } from "@/lib/text"
import { Failed } from "./failed"

/**
 * The four states of a view that shows one query: loading, empty, failed, ready.
 *
 * What was known stays on the screen while it is asked anew, and under an error. A view that brings its own sheets
 * lies on the desk (`isOnDesk`): what loads and what failed gets a sheet there, too.
 */
export function QueryView<Data>({
  query,
  isOnDesk = false,
  lines,
  skeleton = <Skeleton lines={lines} />,
  isEmpty,
  empty,
  children,
}: {
  query: UseQueryResult<Data, Error>
  isOnDesk?: boolean
  lines?: number
  skeleton?: ReactNode
  isEmpty?: (data: Data) => boolean
  empty?: ReactNode
  children: (data: Data) => ReactNode
}) {
  const t = useText()
  const Ground = isOnDesk ? Sheet : Fragment
  const failed = query.isError ? (
    <Ground>
      <Failed error={query.error} onRetry={() => query.refetch()} />
    </Ground>
  ) : null
  if (query.data === undefined)
    return (
      failed ?? (
        <div aria-busy="true">
          <span className="sr-only">{t("web.loading")}</span>
          <Ground>{skeleton}</Ground>
        </div>
      )
    )
  const shown = isEmpty?.(query.data) ? empty : children(query.data)
  if (failed === null) return shown
  return (
    <div className="grid gap-3">
      {failed}
      {shown}
    </div>
  )
}
