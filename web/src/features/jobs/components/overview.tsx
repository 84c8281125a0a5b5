import { useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { type Curves, isEnded, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart } from "@/components/ui/chart"
import { Sheet } from "@/components/ui/sheet"
import type { Series } from "@/lib/chart-math"
import { aligned } from "@/lib/curves"
import { useText } from "@/lib/text"
import { useFindings } from "../findings"
import { FindingNote } from "./diagnosis"
import { Epochs } from "./epochs"
import { LossSheet } from "./loss-sheet"

/** The curves of a job while it runs and after, with what they say beside them. */
export function Overview({ job }: { job: Job }) {
  const t = useText()
  const curves = useQuery(jobQueries.curves(job.id)).data
  const findings = useFindings(job.id, job.error).others
  const hasNone = curves !== undefined && !curves.curves.loss?.mean.length
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
      <div className="grid min-w-0 gap-4">
        <LossSheet job={job} />
        {hasNone ? null : (
          <div className="grid gap-4 md:grid-cols-2">
            {SMALL.map((name) => (
              <SmallSheet key={name} job={job} name={name} />
            ))}
          </div>
        )}
        {hasNone && isEnded(job) ? null : <Epochs job={job} />}
      </div>
      <div className={`grid min-w-0 gap-4 ${findings.length > 0 ? "max-lg:order-first" : ""}`}>
        {findings.slice(0, 2).map((finding) => (
          <Sheet key={`${finding.code} ${finding.step}`} className="border-l-3">
            <FindingNote finding={finding} job={job} />
          </Sheet>
        ))}
        {findings.length === 0 && !job.error ? (
          <Sheet title={t("web.job.tab.diagnosis")}>
            <p className="text-14 text-ink-2">{t("web.diagnosis.healthy")}</p>
          </Sheet>
        ) : null}
      </div>
    </div>
  )
}

const SMALL = ["learning_rate", "grad_norm", "tokens_per_second", "memory_bytes"] as const

/** The curve of something else that is measured with each step, and how to read it. */
function SmallSheet({ job, name }: { job: Job; name: (typeof SMALL)[number] }) {
  const t = useText()
  const curves = useQuery(jobQueries.curves(job.id))
  return (
    <Sheet title={t(`web.chart.title.${name}`)}>
      <QueryView query={curves} lines={5}>
        {(data) => <Small curves={data} name={name} title={t(`web.chart.title.${name}`)} />}
      </QueryView>
      <p className="mt-1 text-s text-ink-2">{t(`web.chart.hint.${name}`)}</p>
    </Sheet>
  )
}

function Small({ curves, name, title }: { curves: Curves; name: string; title: string }) {
  const t = useText()
  const { x, columns } = useMemo(() => aligned(curves, [name]), [curves, name])
  const shown = useMemo(
    () => [{ name: title, values: inUnits(name, columns[0]), color: "accent" } as const],
    [columns, name, title],
  )
  if (x.length === 0) return <Empty words={t("web.chart.no_points")} />
  return <Chart title={title} xName={t("web.chart.step")} x={x} curves={shown} height={140} isFromZero />
}

const GB = 1e9

/** Returns values as an axis can name them: bytes in gigabytes, all else as it is. */
function inUnits(name: string, values: Series = []): Series {
  return name === "memory_bytes" ? values.map((value) => (value === null ? null : value / GB)) : values
}
