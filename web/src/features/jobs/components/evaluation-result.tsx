import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import type { EvaluatedItem, EvaluationReport } from "@/api/evaluations"
import { addressOfFile, type Job, jobQueries } from "@/api/jobs"
import { LadderSheet } from "@/components/job/ladder-sheet"
import { LongList } from "@/components/ui/long-list"
import { Segmented } from "@/components/ui/segmented"
import { Figures, Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { isLoss, lossesFirst, VERDICTS } from "../verdicts"
import { ForgettingSheet } from "./forgetting-sheet"
import { QualitySheet } from "./quality-sheet"
import { Question } from "./question"
import { VerdictChip } from "./verdict-chip"

const MOST = 8 // questions before the rest is asked for

/** A report: what was counted, what was forgotten, and every question with both answers, the losses first. */
export function EvaluationResult({ report, job }: { report: EvaluationReport; job: Job }) {
  return (
    <div className="grid gap-4">
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <FactsSheet report={report} job={job} />
        {report.forgetting ? <ForgettingSheet forgetting={report.forgetting} /> : null}
      </div>
      {report.quality ? <QualitySheet quality={report.quality} /> : null}
      {report.ladder ? <LadderSheet ladder={report.ladder} /> : null}
      <Questions items={report.items} />
    </div>
  )
}

function FactsSheet({ report: { facts }, job }: { report: EvaluationReport; job: Job }) {
  const t = useText()
  const found = VERDICTS.filter((verdict) => facts[verdict] > 0)
  return (
    <Sheet title={t("web.evaluation.facts")} aside={<FullReport job={job} />}>
      {facts.total === 0 ? (
        <p className="text-14 text-ink-2">{t("web.evaluation.no_facts")}</p>
      ) : (
        <>
          <Figures
            items={[
              {
                name: t("web.evaluation.remembered"),
                value: `${facts.remembered} / ${facts.total}`,
                unit: t("web.evaluation.before_count", { count: facts.remembered_before }),
              },
              {
                name: t("web.evaluation.in_other_words"),
                value: facts.asked_in_other_words ? `${facts.in_other_words} / ${facts.asked_in_other_words}` : "–",
                unit: facts.asked_in_other_words ? null : t("web.evaluation.not_asked"),
              },
            ]}
          />
          <ul className="mt-3 flex flex-wrap gap-2">
            {found.map((verdict) => (
              <li key={verdict}>
                <VerdictChip verdict={verdict} count={facts[verdict]} />
              </li>
            ))}
          </ul>
          <p className="mt-3 text-s text-ink-2">{t("web.evaluation.facts_note")}</p>
        </>
      )}
    </Sheet>
  )
}

/** The page that the evaluation wrote, with its limits and advice, to keep and to pass on. */
function FullReport({ job }: { job: Job }) {
  const t = useText()
  const { data } = useQuery(jobQueries.files(job.id))
  const names = data?.items.map(({ name }) => name).filter((name) => /^evaluation-\d+\/report\.html$/.test(name)) ?? []
  const newest = names.sort(new Intl.Collator("en", { numeric: true }).compare).at(-1)
  if (!newest) return null
  return (
    <a href={addressOfFile(job.id, newest)} download className="text-s text-accent underline underline-offset-3">
      {t("web.evaluation.full_report")}
    </a>
  )
}

function Questions({ items }: { items: readonly EvaluatedItem[] }) {
  const t = useText()
  const [which, setWhich] = useState<"all" | "losses">("all")
  const ordered = lossesFirst(items)
  const losses = ordered.filter(isLoss)
  const shown = which === "all" ? ordered : losses
  const toggle = (
    <Segmented
      label={t("web.evaluation.which")}
      value={which}
      onValue={setWhich}
      options={[
        { value: "all", name: t("web.evaluation.all", { count: ordered.length }) },
        { value: "losses", name: t("web.evaluation.losses", { count: losses.length }) },
      ]}
    />
  )
  return (
    <Sheet title={t("web.evaluation.answers")} aside={toggle}>
      {shown.length > 0 ? (
        <LongList key={which} items={shown} most={MOST}>
          {(item) => <Question key={`${item.question}\n${item.reference}`} item={item} />}
        </LongList>
      ) : (
        <p className="text-14 text-ink-2">{t("web.evaluation.no_losses")}</p>
      )}
    </Sheet>
  )
}
