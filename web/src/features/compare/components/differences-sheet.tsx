import { useQuery } from "@tanstack/react-query"
import type { Comparison } from "@/api/comparisons"
import { datasetQueries } from "@/api/datasets"
import type { JobSummary } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { fieldName, valuesOf } from "../differences"
import { JobColumns } from "./job-columns"

/** The settings that differ between the jobs, and no others. */
export function DifferencesSheet({
  comparison: { jobs, differences },
  summaries,
}: {
  comparison: Comparison
  summaries: readonly (JobSummary | undefined)[]
}) {
  const t = useText()
  const datasets = useQuery(datasetQueries.list()).data?.items ?? []
  const nameOf = (id: string) => datasets.find((dataset) => dataset.id === id)?.name
  return (
    <Sheet title={t("web.compare.differences")}>
      {differences.length > 0 ? (
        <JobColumns
          caption={t("web.compare.differences")}
          jobs={jobs}
          lines={differences.map((difference) => ({
            key: difference.field,
            name: fieldName(difference.field, t),
            cells: valuesOf(difference, summaries, nameOf),
          }))}
        />
      ) : (
        <Empty words={t("web.compare.no_differences")} />
      )}
    </Sheet>
  )
}
