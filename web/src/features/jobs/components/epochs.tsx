import { useQuery } from "@tanstack/react-query"
import { type Epoch, isActive, type Job, jobQueries } from "@/api/jobs"
import { QueryView } from "@/components/states/query-view"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { formatLoss, formatMetric } from "@/lib/format"
import { useText } from "@/lib/text"
import { Goals } from "./goals"

const EVERY = 3000 // milliseconds between looks at a running job, whose epochs may be short

/** The losses of each epoch; one without measured losses does not have their column. */
export function Epochs({ job }: { job: Job }) {
  const t = useText()
  const epochs = useQuery({ ...jobQueries.epochs(job.id), refetchInterval: isActive(job) ? EVERY : false })
  const measured: Column<Epoch> = {
    name: t("web.metric.eval_loss"),
    cell: ({ eval_loss: loss }) => formatLoss(loss),
    isNumber: true,
  }
  const columns: Column<Epoch>[] = [
    { name: t("web.epochs.epoch"), cell: ({ epoch }) => epoch },
    {
      name: t("web.epochs.steps"),
      cell: ({ first_step: first, last_step: last }) => t("web.epochs.from_to", { first, last }),
      isWide: true,
      isNumber: true,
    },
    { name: t("web.epochs.mean_loss"), cell: ({ loss }) => formatLoss(loss), isNumber: true },
    { name: t("web.epochs.lowest_loss"), cell: ({ lowest_loss: lowest }) => formatLoss(lowest), isNumber: true },
    {
      name: t("web.metric.per_second"),
      cell: ({ tokens_per_second: speed }) => formatMetric(speed),
      isWide: true,
      isNumber: true,
    },
  ]
  return (
    <Sheet title={t("web.epochs.title")}>
      <QueryView
        query={epochs}
        isEmpty={({ items }) => items.length === 0}
        empty={<p className="text-14 text-ink-2">{t("web.epochs.empty")}</p>}
      >
        {({ items }) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
          <section tabIndex={0} aria-label={t("web.epochs.title")} className="max-h-80 overflow-y-auto">
            <Table
              caption={t("web.epochs.title")}
              columns={items.some(({ eval_loss: loss }) => loss !== null) ? [...columns, measured] : columns}
              rows={items}
              keyOf={({ epoch }) => String(epoch)}
            />
          </section>
        )}
      </QueryView>
      <Goals job={job} epochs={epochs.data?.items ?? []} />
    </Sheet>
  )
}
