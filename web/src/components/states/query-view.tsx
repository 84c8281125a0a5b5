import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { Skeleton } from "@/components/ui/skeleton"
import { useText } from "@/lib/text"
import { Failed } from "./failed"

/**
 * The four states of a view that shows one query: loading, empty, failed, ready.
 *
 * What was known stays on the screen while it is asked anew, and under an error.
 */
export function QueryView<Data>({
  query,
  skeleton = <Skeleton />,
  isEmpty,
  empty,
  children,
}: {
  query: UseQueryResult<Data, Error>
  skeleton?: ReactNode
  isEmpty?: (data: Data) => boolean
  empty?: ReactNode
  children: (data: Data) => ReactNode
}) {
  const t = useText()
  if (query.data === undefined) {
    if (query.isError) return <Failed error={query.error} onRetry={() => query.refetch()} />
    return (
      <div aria-busy="true">
        <span className="sr-only">{t("web.loading")}</span>
        {skeleton}
      </div>
    )
  }
  const shown = isEmpty?.(query.data) ? empty : children(query.data)
  if (!query.isError) return shown
  return (
    <div className="grid gap-3">
      <Failed error={query.error} onRetry={() => query.refetch()} />
      {shown}
    </div>
  )
}
