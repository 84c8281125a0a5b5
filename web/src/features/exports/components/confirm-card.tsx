import { useQuery } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { systemQueries } from "@/api/system"
import { Facts, Sheet } from "@/components/ui/sheet"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { totalOf } from "../quantizations"
import { type Sizes, SizeWords } from "./quantization-list"

/** How many files, how large together, how much room there is; and the button that starts it. */
export function ConfirmCard({
  quantizations,
  sizes,
  children,
}: {
  quantizations: readonly string[]
  sizes: Sizes
  children: ReactNode
}) {
  const t = useText()
  const language = useLanguage()
  const free = useQuery(systemQueries.info()).data?.disk.free_bytes
  const total = totalOf(quantizations, sizes.model, sizes.ofSameBase)
  const isShort = total !== null && free !== undefined && total.bytes > free
  return (
    <Sheet title={t("web.plan.title")} className="lg:sticky lg:top-4">
      <Facts
        items={[
          { name: t("web.exports.count"), value: quantizations.length },
          { name: t("web.exports.total"), value: <SizeWords size={total} /> },
          {
            name: t("web.system.disk"),
            value: free === undefined ? "–" : t("web.system.free", { size: formatBytes(free, language) }),
          },
        ]}
      />
      {isShort ? <p className="mt-2 text-14 text-bad">{t("web.exports.disk_short")}</p> : null}
      <p className="my-3 text-s text-ink-2">{t("web.exports.promise")}</p>
      <div className="grid gap-2">{children}</div>
    </Sheet>
  )
}
