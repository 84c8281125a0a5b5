import { useQuery } from "@tanstack/react-query"
import { useMemo, useState } from "react"
import { type Curves, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart, type Curve } from "@/components/ui/chart"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { smooth } from "@/lib/chart-math"
import { aligned } from "@/lib/curves"
import { type Translate, useText } from "@/lib/text"
import { FindingNote } from "./diagnosis"
import { Epochs } from "./epochs"

const SMOOTHING = 0.85
const MOST_DOTS = 40 // measured losses; more of them would hide their line

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

function LossSheet({ job }: { job: Job }) {
  const t = useText()
  const curves = useQuery(jobQueries.curves(job.id))
  const [axis, setAxis] = useState<"linear" | "log">("linear")
  const toggle = (
    <Segmented
      label={t("web.chart.axis")}
      value={axis}
      onValue={setAxis}
      options={[
        { value: "linear", name: t("web.chart.linear") },
        { value: "log", name: t("web.chart.log") },
      ]}
    />
  )
  return (
    <Sheet title={t("web.chart.loss_title")} aside={toggle}>
      <QueryView
        query={curves}
        skeleton={<Skeleton lines={9} />}
        isEmpty={(data) => !data.curves.loss?.mean.length}
        empty={<Empty words={t("web.chart.no_points")} />}
      >
        {(data) => <LossChart curves={data} job={job} isLog={axis === "log"} />}
      </QueryView>
      <p className="mt-2 text-s text-ink-2">{t("web.chart.loss_hint")}</p>
    </Sheet>
  )
}

function LossChart({ curves, job, isLog }: { curves: Curves; job: Job; isLog: boolean }) {
  const t = useText()
  const { x, columns } = useMemo(() => aligned(curves, ["loss", "eval_loss"]), [curves])
  const shown = useMemo(() => lossCurves(columns, t), [columns, t])
  const [total, epochs] = [curves.total_steps, job.progress.num_epochs]
  const marks = useMemo(() => {
    if (!total || !epochs || epochs > 20) return []
    const ends = Array.from({ length: Math.ceil(epochs) - 1 }, (_, index) => index + 1)
    return ends.map((epoch) => ({ x: Math.round((epoch * total) / epochs), name: t("web.chart.epoch", { epoch }) }))
  }, [total, epochs, t])
  return (
    <Chart
      title={t("web.chart.loss_title")}
      xName={t("web.chart.step")}
      x={x}
      curves={shown}
      marks={marks}
      isLog={isLog}
    />
  )
}

function lossCurves([loss = [], measured = []]: readonly (readonly (number | null)[])[], t: Translate): Curve[] {
  const numMeasured = measured.filter((value) => value !== null).length
  return [
    { name: t("web.metric.loss"), values: loss, color: "accent", isFaint: true },
    { name: t("web.chart.smoothed"), values: smooth(loss, SMOOTHING), color: "accent" },
    ...(numMeasured > 0
      ? [
          {
            name: t("web.metric.eval_loss"),
            values: measured,
            color: "good",
            isDashed: true,
            hasPoints: numMeasured <= MOST_DOTS,
          } as const,
        ]
      : []),
  ]
}

function Small({ curves, name, title }: { curves: Curves; name: string; title: string }) {
  const t = useText()
  const { x, columns } = useMemo(() => aligned(curves, [name]), [curves, name])
  const shown = useMemo(() => [{ name: title, values: columns[0] ?? [], color: "accent" } as const], [columns, title])
  if (x.length === 0) return <Empty words={t("web.chart.no_points")} />
  return <Chart title={title} xName={t("web.chart.step")} x={x} curves={shown} height={140} />
}
