import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useMemo } from "react"
import { type Curves, isEnded, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Chart } from "@/components/ui/chart"
import { Facts, Sheet } from "@/components/ui/sheet"
import type { Series } from "@/lib/chart-math"
import { aligned } from "@/lib/curves"
import { settingName } from "@/lib/setting-words"
import { useText } from "@/lib/text"
import { useFindings } from "../findings"
import type { JobTab } from "../tabs"
import { FindingNote } from "./diagnosis"
import { Epochs } from "./epochs"
import { LossSheet } from "./loss-sheet"
import { Sample } from "./samples"
import { valueWords } from "./settings"

const BESIDE = "grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]"

/** The curves of a job while it runs and after; beside them what they say, what it answers or learns, and how it was set. */
export function Overview({ job }: { job: Job }) {
  const curves = useQuery(jobQueries.curves(job.id)).data
  const hasNone = curves !== undefined && !curves.curves.loss?.mean.length
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className={BESIDE}>
        <LossSheet job={job} />
        <div className="grid min-w-0 gap-4 max-lg:contents">
          <Findings job={job} isSilent={hasNone} />
          {hasNone ? <MainSettings job={job} /> : <Sample job={job} all={<All tab="samples" />} />}
        </div>
      </div>
      {hasNone ? null : (
        <div className="grid gap-4 md:grid-cols-2 lg:grid-cols-4">
          {SMALL.map((name) => (
            <SmallSheet key={name} job={job} name={name} />
          ))}
        </div>
      )}
      {hasNone && isEnded(job) ? null : (
        <div className={hasNone ? "" : BESIDE}>
          <Epochs job={job} />
          {hasNone ? null : <MainSettings job={job} />}
        </div>
      )}
    </div>
  )
}

/** Leads to the view that has all of what is shown in part. */
function All({ tab }: { tab: JobTab }) {
  const t = useText()
  return (
    <Link
      to="."
      search={(before) => ({ ...before, tab })}
      resetScroll={false}
      className="text-s text-accent underline underline-offset-3"
    >
      {t("web.job.all")}
    </Link>
  )
}

const MOST_FINDINGS = 2

/** The gravest of what the numbers say, or that they are well; a job without numbers (`isSilent`) says nothing by them. */
function Findings({ job, isSilent }: { job: Job; isSilent: boolean }) {
  const t = useText()
  const findings = useFindings(job.id, job.error).others
  if (findings.length === 0 && (isSilent || job.error)) return null
  return (
    <Sheet
      title={t("web.job.tab.diagnosis")}
      aside={findings.length > MOST_FINDINGS ? <All tab="diagnosis" /> : null}
      className={findings.length > 0 ? "max-lg:order-first" : ""}
    >
      {findings.length === 0 ? <p className="text-14 text-ink-2">{t("web.diagnosis.healthy")}</p> : null}
      <div className="grid grid-cols-1 divide-y">
        {findings.slice(0, MOST_FINDINGS).map((finding) => (
          <div key={`${finding.code} ${finding.step}`} className="py-3 first:pt-0 last:pb-0">
            <FindingNote finding={finding} job={job} />
          </div>
        ))}
      </div>
    </Sheet>
  )
}

const MAIN_SETTINGS = [
  "r",
  "lora_alpha",
  "learning_rate",
  "num_train_epochs",
  "max_steps",
  "per_device_train_batch_size",
  "gradient_accumulation_steps",
  "max_length",
]

/** The settings that are spoken of most, as far as the job has them. */
function MainSettings({ job }: { job: Job }) {
  const t = useText()
  const named = MAIN_SETTINGS.flatMap((name) => {
    const value = job.settings[name] ?? null
    return value === null ? [] : [{ name: settingName(name, t), value: valueWords(value, t) }]
  })
  return (
    <Sheet title={t("web.job.tab.settings")} aside={<All tab="settings" />}>
      <Facts items={named} />
    </Sheet>
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
