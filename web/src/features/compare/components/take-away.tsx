import type { Comparison } from "@/api/comparisons"
import { Button } from "@/components/ui/button"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"
import type { SharedItem } from "../scores"
import { csvOf, linesOf } from "../table-file"

/** The comparison to pass on: as an address, as a table for spreadsheets, and on paper. */
export function TakeAway({ comparison, shared }: { comparison: Comparison; shared: readonly SharedItem[] }) {
  const t = useText()
  const save = () => {
    const file = new Blob([csvOf(linesOf(comparison, shared))], { type: "text/csv;charset=utf-8" })
    const address = URL.createObjectURL(file)
    const link = document.createElement("a")
    link.href = address
    link.download = "comparison.csv"
    link.click()
    URL.revokeObjectURL(address)
    toast(t("web.compare.saved"))
  }
  return (
    <div className="flex flex-wrap gap-2 print:hidden">
      <Button onClick={save}>{t("web.compare.csv")}</Button>
      <Button onClick={() => window.print()}>{t("web.compare.print")}</Button>
    </div>
  )
}
