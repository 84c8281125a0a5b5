import type { ReactNode } from "react"
import type { EvaluatedItem } from "@/api/evaluations"
import { Icon } from "@/components/ui/icon"
import { languageOf } from "@/components/ui/long-name"
import { useText } from "@/lib/text"
import { verdictOf } from "../verdicts"
import { VerdictChip } from "./verdict-chip"

const WHOLE_PHRASES = "[word-break:auto-phrase]" // in a narrow column lines would end inside Japanese words

/** One question: its reference, the answers before and after, the facts in it, and how it went in other words. */
export function Question({ item }: { item: EvaluatedItem }) {
  const t = useText()
  const verdict = verdictOf(item.verdict)
  return (
    <li className="grid gap-2.5 border-b py-4 first:pt-1 last:border-0 last:pb-0">
      <div className="flex items-start justify-between gap-3">
        <p lang={languageOf(item.question)} className={`whitespace-pre-line font-semibold ${WHOLE_PHRASES}`}>
          {item.question}
        </p>
        {verdict ? <VerdictChip verdict={verdict} /> : null}
      </div>
      <div className="grid gap-3 md:grid-cols-2">
        <Answer name={t("web.evaluation.before")} text={item.base.text} />
        <Answer name={t("web.evaluation.after")} text={item.tuned.text} isTuned />
      </div>
      <p className="text-s text-ink-2">{t("web.evaluation.reference", { answer: item.reference })}</p>
      <Facts item={item} />
      {item.paraphrases.length > 0 ? (
        <details className="text-s">
          <summary className="w-fit text-accent">
            {t("web.evaluation.rewordings", { count: item.paraphrases.length })}
          </summary>
          <ul className="mt-2 grid gap-2">
            {item.paraphrases.map(({ question, text, has_facts: hasFacts }) => (
              <li key={question}>
                <p className="text-ink-2">{question}</p>
                {typeof hasFacts === "boolean" ? <Marked isGood={hasFacts}>{text}</Marked> : <p>{text}</p>}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </li>
  )
}

/** One question with the answer of the tuned model and the facts in it, for a narrow column. */
export function ShortQuestion({ item }: { item: EvaluatedItem }) {
  const t = useText()
  return (
    <li className="grid gap-1.5 border-b py-3 first:pt-0 last:border-0 last:pb-0">
      <p lang={languageOf(item.question)} className={`line-clamp-3 font-semibold ${WHOLE_PHRASES}`}>
        {item.question}
      </p>
      <p
        lang={languageOf(item.tuned.text)}
        className={`line-clamp-4 border-l-3 border-accent pl-3 text-14 ${WHOLE_PHRASES}`}
      >
        {item.tuned.text || t("web.evaluation.nothing_said")}
      </p>
      <Facts item={item} />
    </li>
  )
}

function Answer({ name, text, isTuned = false }: { name: string; text: string; isTuned?: boolean }) {
  const t = useText()
  return (
    <div className={`min-w-0 border-l-3 pl-3 ${isTuned ? "border-accent" : "border-line-strong"}`}>
      <p className="text-s text-ink-2">{name}</p>
      <p lang={languageOf(text)} className={`whitespace-pre-line text-14 ${WHOLE_PHRASES}`}>
        {text || t("web.evaluation.nothing_said")}
      </p>
    </div>
  )
}

function Facts({ item: { facts } }: { item: EvaluatedItem }) {
  if (facts.length === 0) return null
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-s">
      {facts.map((fact, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same fact may be asked for twice
        <li key={index}>
          <Marked isGood={fact.tuned}>{fact.text}</Marked>
        </li>
      ))}
    </ul>
  )
}

/** Words with a mark for what the tuned model said, and what it did not say. */
function Marked({ isGood, children }: { isGood: boolean; children: ReactNode }) {
  const t = useText()
  return (
    <span className={`inline-flex items-center gap-1 ${isGood ? "text-good" : "text-bad"}`}>
      <Icon name={isGood ? "check" : "close"} size={14} />
      <span className="sr-only">{t(isGood ? "web.evaluation.said" : "web.evaluation.missed")}</span>
      {children}
    </span>
  )
}
