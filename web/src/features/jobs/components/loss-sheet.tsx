import { useQuery } from "@tanstack/react-query"
import { useMemo, useState } from "react"
import { type Curves, isEnded, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart, type Curve } from "@/components/ui/chart"
import { Checkbox } from "@/components/ui/field"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { smooth } from "@/lib/chart-math"
import { aligned } from "@/lib/curves"
import { type Translate, useText } from "@/lib/text"
import { useGoalsOf } from "./goals"
import { Waiting } from "./waiting"

const SMOOTHING = { none: 0, weak: 0.6, strong: 0.9 } as const
type Smoothing = keyof typeof SMOOTHING
const MOST_DOTS = 40 // measured losses; more of them would hide their line
const MOST_MARKS = 20 // epochs; more of them would only be a pattern

/** The curve of the loss while it grows, and how it is looked at. */
export function LossSheet({ job }: { job: Job }) {
  const t = useText()
  const curves = useQuery(jobQueries.curves(job.id))
  const [axis, setAxis] = useState<"linear" | "log">("linear")
  const [smoothing, setSmoothing] = useState<Smoothing>("strong")
  const [isClipped, setIsClipped] = useState(false)
  const hasCurve = Boolean(curves.data?.curves.loss?.mean.length)
  return (
    <Sheet title={t("web.chart.loss_title")}>
      {hasCurve ? (
        <div className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-2">
          <Segmented
            label={t("web.chart.smoothing")}
            value={smoothing}
            onValue={setSmoothing}
            options={(["none", "weak", "strong"] as const).map((value) => ({
              value,
              name: t(`web.chart.smooth.${value}`),
            }))}
          />
          <Segmented
            label={t("web.chart.axis")}
            value={axis}
            onValue={setAxis}
            options={(["linear", "log"] as const).map((value) => ({ value, name: t(`web.chart.${value}`) }))}
          />
          <Checkbox
            label={t("web.chart.clip")}
            checked={isClipped}
            onChange={(event) => setIsClipped(event.target.checked)}
          />
        </div>
      ) : null}
      <QueryView
        query={curves}
        lines={9}
        isEmpty={() => !hasCurve}
        empty={isEnded(job) ? <Empty words={t("web.chart.never")} /> : <Waiting job={job} />}
      >
        {(data) => <LossChart curves={data} job={job} {...{ smoothing, isClipped }} isLog={axis === "log"} />}
      </QueryView>
      {hasCurve ? <p className="mt-2 text-s text-ink-2">{t("web.chart.loss_hint")}</p> : null}
    </Sheet>
  )
}

interface LossChartProps {
  curves: Curves
  job: Job
  smoothing: Smoothing
  isClipped: boolean
  isLog: boolean
}

function LossChart({ curves, job, smoothing, isClipped, isLog }: LossChartProps) {
  const t = useText()
  const goals = useGoalsOf(job.id)
  const { x, columns } = useMemo(() => aligned(curves, ["loss", "eval_loss"]), [curves])
  const shown = useMemo(() => lossCurves(columns, SMOOTHING[smoothing], t), [columns, smoothing, t])
  const [total, epochs] = [curves.total_steps, job.progress.num_epochs]
  const endOf = (epoch: number) => (total && epochs ? Math.round((epoch * total) / epochs) : 0)
  const numMarks = total && epochs && epochs <= MOST_MARKS ? Math.ceil(epochs) - 1 : 0
  const marks = Array.from({ length: numMarks }, (_, index) => ({
    x: endOf(index + 1),
    name: t("web.chart.epoch", { epoch: index + 1 }),
  }))
  const targets = goals.map(({ epoch, loss }) => ({ from: endOf(epoch - 1), to: endOf(epoch), value: loss }))
  return (
    <Chart
      title={t("web.chart.loss_title")}
      xName={t("web.chart.step")}
      x={x}
      curves={shown}
      marks={marks}
      targets={targets}
      isLog={isLog}
      isClipped={isClipped}
    />
  )
}

function lossCurves(
  [loss = [], measured = []]: readonly (readonly (number | null)[])[],
  smoothing: number,
  t: Translate,
): Curve[] {
  const numMeasured = measured.filter((value) => value !== null).length
  const smoothed: Curve[] =
    smoothing > 0 ? [{ name: t("web.chart.smoothed"), values: smooth(loss, smoothing), color: "accent" }] : []
  const held: Curve = {
    name: t("web.metric.eval_loss"),
    values: measured,
    color: "good",
    isDashed: true,
    hasPoints: numMeasured <= MOST_DOTS,
  }
  return [
    { name: t("web.metric.loss"), values: loss, color: "accent", isFaint: smoothing > 0 },
    ...smoothed,
    ...(numMeasured > 0 ? [held] : []),
  ]
}
