import { useQueries } from "@tanstack/react-query"
import { useState } from "react"
import type { ComparedJob } from "@/api/comparisons"
import { type Curves, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart, type Curve } from "@/components/ui/chart"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { smooth } from "@/lib/chart-math"
import { aligned } from "@/lib/curves"
import { useText } from "@/lib/text"
import { letterOf } from "./letter"

const SMOOTHING = 0.85
const LOOKS = [
  { color: "accent" },
  { color: "good", dash: [7, 4] },
  { color: "warn", dash: [2, 4] },
  { color: "bad", dash: [9, 3, 2, 3] },
] as const

type Name = "loss" | "eval_loss"

/** The curves of the jobs over each other, on one axis of steps. */
export function CurvesSheet({ jobs }: { jobs: readonly ComparedJob[] }) {
  const t = useText()
  const [name, setName] = useState<Name>("loss")
  const curves = useQueries({ queries: jobs.map(({ id }) => jobQueries.curves(id)) })
  const failed = curves.find(({ isError }) => isError)
  const loaded = curves.flatMap(({ data }) => data ?? [])
  const all = failed ?? curves.find(({ data }) => data === undefined) ?? curves[0]
  const hasMeasured = loaded.some((found) => found.curves.eval_loss?.mean.length)
  return (
    <Sheet
      title={t("web.chart.loss_title")}
      aside={
        hasMeasured ? (
          <Segmented
            label={t("web.compare.curve")}
            value={name}
            onValue={setName}
            options={[
              { value: "loss", name: t("web.metric.loss") },
              { value: "eval_loss", name: t("web.metric.eval_loss") },
            ]}
          />
        ) : null
      }
    >
      {all ? (
        <QueryView query={all} lines={9}>
          {() => <Together jobs={jobs} curves={loaded} name={hasMeasured ? name : "loss"} />}
        </QueryView>
      ) : null}
      <p className="mt-2 text-s text-ink-2">{t("web.compare.curves_help")}</p>
    </Sheet>
  )
}

function Together({ jobs, curves, name }: { jobs: readonly ComparedJob[]; curves: readonly Curves[]; name: Name }) {
  const t = useText()
  const named = curves.flatMap((found, job) => (found.curves[name] ? [[String(job), found.curves[name]] as const] : []))
  const { x, columns } = aligned(
    { curves: Object.fromEntries(named) },
    jobs.map((_, job) => String(job)),
  )
  if (x.length === 0) return <Empty words={t("web.compare.no_curves")} />
  const shown: Curve[] = jobs.map((job, position) => ({
    name: `${letterOf(position)} ${job.name}`,
    values: name === "loss" ? smooth(columns[position] ?? [], SMOOTHING) : (columns[position] ?? []),
    hasPoints: name === "eval_loss",
    ...(LOOKS[position] ?? LOOKS[0]),
  }))
  return <Chart title={t("web.chart.loss_title")} xName={t("web.chart.step")} x={x} curves={shown} />
}
