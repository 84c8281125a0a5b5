import { ApiError } from "@/api/error"
import { Failed } from "@/components/states/failed"
import { CopyButton } from "@/components/ui/copy"
import { Dotted } from "@/components/ui/dotted"
import { type Translate, useLanguage, useText } from "@/lib/text"
import type { Difference } from "../difference"
import { isTuned } from "../names"
import { type Answer, isOpen } from "../thread"

/** What one model says: as it comes, then how it ended and how fast it was. */
export function AnswerView({
  model,
  name,
  answer,
  difference,
}: {
  model: string
  name: string
  answer: Answer
  difference?: Difference
}) {
  const t = useText()
  const language = useLanguage()
  const { state, fault, text } = answer
  return (
    <section
      aria-label={name}
      aria-live="polite"
      aria-busy={isOpen(answer)}
      className={`min-w-0 ${fault ? "" : `border-l-3 pl-3 ${isTuned(model) ? "border-accent" : "border-line-strong"}`}`}
    >
      <p className={`text-s font-semibold md:sr-only ${isTuned(model) ? "text-accent" : "text-ink-2"}`}>{name}</p>
      {state === "waiting" || state === "loading" ? (
        <p className="text-14 text-ink-2">{t(state === "loading" ? "web.chat.loading" : "web.chat.waiting")}</p>
      ) : null}
      {text ? <Words text={text} difference={difference} /> : null}
      {state === "done" && !text ? <p className="text-14 text-ink-2">{t("web.chat.said_nothing")}</p> : null}
      {fault ? <Failed error={new ApiError({ ...fault, status: 0, problems: [...(fault.problems ?? [])] })} /> : null}
      {isOpen(answer) || state === "failed" ? null : (
        <div className="mt-1 flex flex-wrap items-center gap-x-3 text-s text-ink-2">
          <Dotted words={endWords(answer, difference, t, language)} />
          {text ? (
            <span className="-ml-3.5">
              <CopyButton text={text} />
            </span>
          ) : null}
        </div>
      )}
    </section>
  )
}

function Words({ text, difference }: { text: string; difference?: Difference }) {
  const pieces = difference?.pieces ?? [{ at: 0, text, isOwn: false }]
  return (
    <p className="whitespace-pre-wrap">
      {pieces.map((piece) =>
        piece.isOwn ? (
          <mark
            key={piece.at}
            className="bg-learn text-ink underline decoration-learn-line decoration-2 underline-offset-3"
          >
            {piece.text}
          </mark>
        ) : (
          piece.text
        ),
      )}
    </p>
  )
}

function endWords(answer: Answer, difference: Difference | undefined, t: Translate, language: string) {
  const { state, finishReason, numTokens, tokensPerSecond } = answer
  const speed = tokensPerSecond?.toLocaleString(language, { maximumFractionDigits: 1 })
  return [
    state === "stopped" ? t("web.chat.stopped") : null,
    finishReason === "length" ? t("web.chat.cut") : null,
    finishReason === "stop" ? t("web.chat.whole") : null,
    numTokens === null ? null : t("web.chat.tokens", { count: numTokens }),
    speed === undefined ? null : t("web.chat.speed", { speed }),
    difference?.kind === "same" ? t("web.chat.same") : null,
    difference?.kind === "other" ? t("web.chat.other") : null,
  ]
}
