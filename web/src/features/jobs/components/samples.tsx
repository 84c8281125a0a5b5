import { useQuery } from "@tanstack/react-query"
import type { ReactNode } from "react"
import type { EvaluationReport } from "@/api/evaluations"
import { evaluationQueries } from "@/api/evaluations"
import { type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { type Event, piecesOf } from "../sample"
import { lossesFirst } from "../verdicts"
import { Question, ShortQuestion } from "./question"

const MOST = 5 // questions; the evaluation has all
const FEW = 2 // beside the curve

/** What a job has learned from, as it saw it, and what it answers to the same questions before and after. */
export function Samples({ job }: { job: Job }) {
  const t = useText()
  const samples = useQuery(jobQueries.samples(job.id))
  const report = useQuery(evaluationQueries.report(job.id))
  return (
    <div className="grid gap-4">
      <Sheet title={t("web.samples.answers")}>
        <QueryView
          query={report}
          isEmpty={(found) => found === null}
          empty={<Empty words={t(job.status === "succeeded" ? "web.samples.none" : "web.evaluation.not_yet")} />}
        >
          {(found) => found && <Answers report={found} />}
        </QueryView>
      </Sheet>
      <Sheet title={t("web.samples.row")}>
        <QueryView
          query={samples}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty words={t("web.samples.no_row")} />}
        >
          {({ items }) => <NewestRow events={items} />}
        </QueryView>
        <p className="mt-2 text-s text-ink-2">{t("web.samples.row_words")}</p>
      </Sheet>
    </div>
  )
}

/** Some answers of an evaluated job, else the beginning of a row that it learns from; `all` leads to the rest. */
export function Sample({ job, all }: { job: Job; all: ReactNode }) {
  const t = useText()
  const rows = useQuery(jobQueries.samples(job.id)).data?.items ?? []
  const report = useQuery(evaluationQueries.report(job.id))
  if (report.data) {
    return (
      <Sheet title={t("web.samples.answers")} aside={all}>
        <ul>
          {lossesFirst(report.data.items)
            .slice(0, FEW)
            .map((item) => (
              <ShortQuestion key={`${item.question}\n${item.reference}`} item={item} />
            ))}
        </ul>
      </Sheet>
    )
  }
  if (report.isPending || rows.length === 0) return null
  return (
    <Sheet title={t("web.samples.row")} aside={all}>
      <NewestRow events={rows} className="line-clamp-8" />
      <p className="mt-2 text-s text-ink-2">{t("web.samples.row_words")}</p>
    </Sheet>
  )
}

/** A row as its job saw it; what is learned is filled and underlined. */
function NewestRow({ events, className = "" }: { events: readonly Event[]; className?: string }) {
  return (
    <p className={`whitespace-pre-wrap text-14 leading-relaxed ${className}`}>
      {events.slice(-1).flatMap((event) =>
        piecesOf(event).map(({ text, isLearned }, index) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one row never move
            key={index}
            className={isLearned ? "border-b-2 border-learn-line bg-learn" : "text-ink-2"}
          >
            {text}
          </span>
        )),
      )}
    </p>
  )
}

function Answers({ report }: { report: EvaluationReport }) {
  const t = useText()
  const left = report.items.length - MOST
  return (
    <>
      <ul>
        {report.items.slice(0, MOST).map((item) => (
          <Question key={`${item.question}\n${item.reference}`} item={item} />
        ))}
      </ul>
      {left > 0 ? <p className="mt-3 text-s text-ink-2">{t("web.samples.left", { count: left })}</p> : null}
    </>
  )
}
