import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import type { DatasetSummary } from "@/api/datasets"
import type { EvaluationSummary } from "@/api/evaluations"
import type { JobSummary } from "@/api/jobs"
import { TrySample } from "@/components/next/try-sample"
import { Button, buttonClass } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { useUi } from "@/lib/ui"

/** The way to the first result, ticked by what is there; it goes with the first words to a model, or when it is closed. */
export function Checklist({
  datasets,
  jobs,
  evaluations,
}: {
  datasets: readonly DatasetSummary[]
  jobs: readonly JobSummary[]
  evaluations: readonly EvaluationSummary[]
}) {
  const t = useText()
  const done = jobs.find(({ status }) => status === "succeeded")
  const hasData = datasets.some(({ ok }) => ok)
  const endGuide = useUi((state) => state.endGuide)
  const isEvaluated = evaluations.some(({ status }) => status === "succeeded")
  const close = (
    <Button look="quiet" className="px-2" aria-label={t("web.checklist.close")} onClick={endGuide}>
      <Icon name="close" size={16} />
    </Button>
  )
  return (
    <Sheet title={t("web.checklist.title")} aside={close} className="border-accent/40">
      <ol className="grid gap-1">
        <Step isDone={hasData} isNext={!hasData} name={t("web.checklist.data")} note={t("web.checklist.data_note")}>
          <TrySample />
          <Link to="/datasets" className={buttonClass()}>
            {t("web.checklist.own_data")}
          </Link>
        </Step>
        <Step
          isDone={done !== undefined}
          isNext={hasData && !done}
          name={t("web.checklist.job")}
          note={t("web.checklist.job_note")}
        >
          <Link to="/jobs/new" className={buttonClass("main")}>
            {t("web.checklist.start")}
          </Link>
        </Step>
        <Step
          isDone={isEvaluated}
          isNext={done !== undefined && !isEvaluated}
          name={t("web.checklist.evaluate")}
          note={t("web.checklist.evaluate_note")}
        >
          {done ? (
            <Link
              to="/jobs/$jobId"
              params={{ jobId: done.id }}
              search={{ tab: "evaluation" }}
              className={buttonClass("main")}
            >
              {t("web.checklist.evaluate_start", { name: done.name })}
            </Link>
          ) : null}
        </Step>
        <Step isDone={false} isNext={isEvaluated} name={t("web.checklist.chat")} note={t("web.checklist.chat_note")}>
          <Link to="/chat" className={buttonClass("main")}>
            {t("web.checklist.chat_start")}
          </Link>
        </Step>
      </ol>
    </Sheet>
  )
}

/** A step with its mark; what it can be done with shows only when it is the next one. */
function Step({
  isDone,
  isNext,
  name,
  note,
  children,
}: {
  isDone: boolean
  isNext: boolean
  name: string
  note: string
  children: ReactNode
}) {
  const t = useText()
  return (
    <li aria-current={isNext ? "step" : undefined} className="flex gap-2.5 py-1">
      <span className={`pt-0.5 ${isDone ? "text-good" : isNext ? "text-accent" : "text-ink-3"}`}>
        <Icon name={isDone ? "check" : "circle"} size={20} />
      </span>
      <div className="min-w-0">
        <span className={isNext ? "font-semibold" : ""}>{name}</span>
        {isDone ? <span className="sr-only">{t("web.checklist.done")}</span> : null}
        <span className="block text-s text-ink-2">{note}</span>
        {isNext ? <div className="mt-2 mb-1 flex flex-wrap gap-2">{children}</div> : null}
      </div>
    </li>
  )
}
