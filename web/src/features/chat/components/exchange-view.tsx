import { useState } from "react"
import type { ChatModel } from "@/api/chat"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"
import { columnsClass } from "../columns"
import { differenceOf } from "../difference"
import { useNames } from "../names"
import { useOptions } from "../options"
import { type Exchange, isOpen } from "../thread"
import type { Place } from "../threads"
import { AnswerView } from "./answer-view"
import { type Destination, RightAnswerDialog } from "./right-answer-dialog"

/** One question and the answers of all columns; from the second column on, what differs from the first is marked. */
export function ExchangeView({
  exchange,
  models,
  place,
  onAgain,
}: {
  exchange: Exchange
  models: readonly ChatModel[]
  place: Place
  onAgain?: () => void
}) {
  const t = useText()
  const nameOf = useNames(models)
  const isMarking = useOptions((state) => state.isMarking)
  const [destination, setDestination] = useState<Destination | null>(null)
  const answers = place.models.flatMap((model) => {
    const answer = exchange.answers[model]
    return answer ? [{ model, answer }] : []
  })
  const isEnded = answers.every(({ answer }) => !isOpen(answer))
  const first = answers[0]?.answer.text ?? ""
  return (
    <article className="border-b py-4 first-of-type:pt-1 last-of-type:border-0">
      <h3 className="sr-only">{t("web.chat.question")}</h3>
      <p className="mb-3 w-fit max-w-full rounded-medium bg-sunk px-3 py-1.5 whitespace-pre-wrap">
        {exchange.question}
      </p>
      <div className={`grid gap-x-6 gap-y-4 ${columnsClass(place.models.length)}`}>
        {answers.map(({ model, answer }, number) => (
          <AnswerView
            key={model}
            model={model}
            name={nameOf(model)}
            answer={answer}
            difference={
              isMarking && isEnded && number > 0 && answer.text && first ? differenceOf(answer.text, first) : undefined
            }
          />
        ))}
      </div>
      {isEnded ? (
        <div className="mt-2 -ml-3.5 flex flex-wrap items-center">
          {onAgain ? (
            <Button look="quiet" onClick={onAgain}>
              {t("web.chat.again")}
            </Button>
          ) : null}
          {place.mode === "chat" ? (
            <>
              <Button look="quiet" onClick={() => setDestination("question")}>
                {t("web.chat.keep_question")}
              </Button>
              <Button look="quiet" onClick={() => setDestination("dataset")}>
                {t("web.chat.add_row")}
              </Button>
            </>
          ) : null}
          {exchange.seed === null ? null : (
            <span className="ml-3.5 text-xs text-ink-3">{`${t("web.chat.seed")} ${exchange.seed}`}</span>
          )}
        </div>
      ) : null}
      {destination ? (
        <RightAnswerDialog
          destination={destination}
          question={exchange.question}
          answer={answers.at(-1)?.answer.text ?? ""}
          models={models}
          chosen={place.models}
          onClose={() => setDestination(null)}
        />
      ) : null}
    </article>
  )
}
