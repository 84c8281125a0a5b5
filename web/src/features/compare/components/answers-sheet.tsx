import { useState } from "react"
import type { ComparedJob } from "@/api/comparisons"
import type { EvaluatedItem } from "@/api/evaluations"
import { Empty } from "@/components/states/empty"
import { Icon } from "@/components/ui/icon"
import { LongList } from "@/components/ui/long-list"
import { languageOf } from "@/components/ui/long-name"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { Chip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"
import { lossesFirst, type Outcome, outcomeOf, type SharedItem } from "../scores"
import { letterOf } from "./letter"

const MOST = 6 // questions before the rest is asked for

type Which = "all" | Outcome

/** The answers of all jobs to the same questions; those that the first job answers worse come first. */
export function AnswersSheet({ jobs, shared }: { jobs: readonly ComparedJob[]; shared: readonly SharedItem[] }) {
  const t = useText()
  const [which, setWhich] = useState<Which>("all")
  const ordered = lossesFirst(shared)
  const shown = ordered.filter((item) => which === "all" || outcomeOf(item) === which)
  const count = (outcome: Outcome) => ordered.filter((item) => outcomeOf(item) === outcome).length
  if (shared.length === 0) return null
  return (
    <Sheet title={t("web.compare.answers")}>
      <div className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Segmented
          label={t("web.compare.which")}
          value={which}
          onValue={setWhich}
          options={[
            { value: "all", name: t("web.compare.all", { count: ordered.length }) },
            { value: "lost", name: t("web.compare.lost", { count: count("lost") }) },
            { value: "tied", name: t("web.compare.tied", { count: count("tied") }) },
            { value: "won", name: t("web.compare.won", { count: count("won") }) },
          ]}
        />
        <span className="text-s text-ink-2">{t("web.compare.seen_from", { name: letterOf(0) })}</span>
      </div>
      {shown.length > 0 ? (
        <LongList key={which} items={shown} most={MOST} className="grid gap-6">
          {(item) => <Question key={`${item.question}\n${item.reference}`} item={item} jobs={jobs} />}
        </LongList>
      ) : (
        <Empty words={t("web.compare.none_found")} />
      )}
    </Sheet>
  )
}

function Question({ item, jobs }: { item: SharedItem; jobs: readonly ComparedJob[] }) {
  const t = useText()
  const hasOneBase = new Set(jobs.map(({ base_model }) => base_model)).size === 1
  const before = hasOneBase ? item.items.find((answer) => answer !== null)?.base.text : undefined
  return (
    <li className="grid gap-2 border-t pt-4 first:border-0 first:pt-0">
      <p lang={languageOf(item.question)} className="whitespace-pre-line font-semibold [word-break:auto-phrase]">
        {item.question}
      </p>
      <dl className="grid gap-1 text-s text-ink-2">
        <Side name={t("web.compare.reference")} words={item.reference} />
        {before === undefined ? null : <Side name={t("web.compare.before")} words={before} />}
      </dl>
      <div
        className={`grid gap-3 ${jobs.length === 3 ? "md:grid-cols-3" : "md:grid-cols-2"} ${jobs.length > 3 ? "lg:grid-cols-4" : ""}`}
      >
        {item.items.map((answer, position) => (
          <Answer key={jobs[position]?.id} answer={answer} position={position} />
        ))}
      </div>
    </li>
  )
}

function Side({ name, words }: { name: string; words: string }) {
  return (
    <div className="flex gap-2">
      <dt className="flex-none">{name}</dt>
      <dd lang={languageOf(words)} className="min-w-0 whitespace-pre-line [word-break:auto-phrase]">
        {words || "–"}
      </dd>
    </div>
  )
}

const TONES = {
  learned: "good",
  known: "plain",
  surface: "warn",
  not_learned: "bad",
  broken: "bad",
} as const
type Worth = keyof typeof TONES
const WORTHS = Object.keys(TONES) as Worth[]

/** One answer with what became of each fact in it. */
function Answer({ answer, position }: { answer: EvaluatedItem | null; position: number }) {
  const t = useText()
  const worth = WORTHS.find((known) => known === answer?.verdict)
  return (
    <div className="grid content-start gap-2 border-l-3 border-line-strong pl-3">
      <div className="flex items-center justify-between gap-2">
        <b className="text-s">{letterOf(position)}</b>
        {worth ? <Chip tone={TONES[worth]}>{t(`web.compare.worth.${worth}`)}</Chip> : null}
      </div>
      {answer === null ? (
        <p className="text-14 text-ink-2">{t("web.compare.not_evaluated")}</p>
      ) : (
        <p className="whitespace-pre-line text-14 [word-break:auto-phrase]">
          {answer.tuned.text || t("web.compare.nothing_said")}
        </p>
      )}
      {answer && answer.facts.length > 0 ? (
        <ul className="flex flex-wrap gap-x-3 gap-y-1 text-s">
          {answer.facts.map((fact) => (
            <li
              key={`${fact.text} ${fact.verdict}`}
              className={`inline-flex items-center gap-1 ${fact.tuned ? "text-good" : "text-bad"}`}
            >
              <Icon name={fact.tuned ? "check" : "close"} size={14} />
              <span className="sr-only">{t(fact.tuned ? "web.compare.said" : "web.compare.missed")}</span>
              {fact.text}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}
