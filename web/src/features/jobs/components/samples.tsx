import { useQuery } from "@tanstack/react-query"
import type { EvaluationReport } from "@/api/evaluations"
import { evaluationQueries } from "@/api/evaluations"
import { type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { piecesOf } from "../sample"
import { Question } from "./question"

const MOST = 5 // questions; the evaluation has all

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
          {({ items }) => (
            <p className="whitespace-pre-wrap text-14 leading-relaxed">
              {items.slice(-1).flatMap((event) =>
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
          )}
        </QueryView>
        <p className="mt-2 text-s text-ink-2">{t("web.samples.row_words")}</p>
      </Sheet>
    </div>
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
