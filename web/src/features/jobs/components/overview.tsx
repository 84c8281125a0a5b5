import { useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { type Curves, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart } from "@/components/ui/chart"
import { Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { aligned } from "@/lib/curves"
import { useText } from "@/lib/text"
import { FindingNote } from "./diagnosis"
import { Epochs } from "./epochs"
import { LossSheet } from "./loss-sheet"

/** The curves of a job while it runs and after, with what they say beside them. */
export function Overview({ job }: { job: Job }) {
  const t = useText()
  const curves = useQuery(jobQueries.curves(job.id))
  const findings = useQuery(jobQueries.diagnosis(job.id)).data?.items ?? []
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
      <div className="grid min-w-0 gap-4">
        <LossSheet job={job} />
        <div className="grid items-start gap-4 md:grid-cols-2">
          <Sheet title={t("web.chart.rate_title")}>
            <QueryView query={curves} skeleton={<Skeleton lines={5} />}>
              {(data) => <Small curves={data} name="learning_rate" title={t("web.metric.learning_rate")} />}
            </QueryView>
          </Sheet>
          <Sheet title={t("web.chart.norm_title")}>
            <QueryView query={curves} skeleton={<Skeleton lines={5} />}>
              {(data) => <Small curves={data} name="grad_norm" title={t("web.metric.grad_norm")} />}
            </QueryView>
            <p className="text-s text-ink-2">{t("web.chart.norm_hint")}</p>
          </Sheet>
        </div>
        <Epochs job={job} />
      </div>
      <div className="grid min-w-0 gap-4">
        {findings.slice(0, 2).map((finding) => (
          <Sheet key={`${finding.code} ${finding.step}`} className="border-l-3">
            <FindingNote finding={finding} job={job} />
          </Sheet>
        ))}
        {findings.length === 0 ? (
          <Sheet title={t("web.job.tab.diagnosis")}>
            <p className="text-14 text-ink-2">{t("web.diagnosis.healthy")}</p>
          </Sheet>
        ) : null}
      </div>
    </div>
  )
}

function Small({ curves, name, title }: { curves: Curves; name: string; title: string }) {
  const t = useText()
  const { x, columns } = useMemo(() => aligned(curves, [name]), [curves, name])
  const shown = useMemo(() => [{ name: title, values: columns[0] ?? [], color: "accent" } as const], [columns, title])
  if (x.length === 0) return <Empty words={t("web.chart.no_points")} />
  return <Chart title={title} xName={t("web.chart.step")} x={x} curves={shown} height={140} />
}
