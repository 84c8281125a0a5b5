import type { Turn } from "@/api/chat"
import type { ServerEvent } from "@/api/sse"

export type AnswerState = "waiting" | "loading" | "writing" | "done" | "stopped" | "failed"

/** What went wrong in one column, in the reader's words. */
export interface Fault {
  code: string
  detail: string
  hint: string
  problems?: readonly string[]
}

/** What one model has said to one question so far. */
export interface Answer {
  state: AnswerState
  text: string
  finishReason: "stop" | "length" | null
  numTokens: number | null
  tokensPerSecond: number | null
  fault: Fault | null
}

/** One question and what each model said to it. */
export interface Exchange {
  id: string
  question: string
  seed: number | null
  answers: Readonly<Record<string, Answer>>
}

export const NO_ANSWER: Answer = {
  state: "waiting",
  text: "",
  finishReason: null,
  numTokens: null,
  tokensPerSecond: null,
  fault: null,
}

/** Returns a question that nobody has answered yet. */
export function asked(id: string, question: string, models: readonly string[]): Exchange {
  return { id, question, seed: null, answers: Object.fromEntries(models.map((model) => [model, NO_ANSWER])) }
}

/** Returns an exchange after one more event; columns are numbered as the models were asked. */
export function afterEvent(exchange: Exchange, models: readonly string[], { type, data }: ServerEvent): Exchange {
  if (type === "begin") return { ...exchange, seed: Number(data.seed) }
  const model = models[Number(data.column)]
  const answer = model === undefined ? undefined : exchange.answers[model]
  if (model === undefined || answer === undefined) return exchange
  return { ...exchange, answers: { ...exchange.answers, [model]: answerAfter(answer, { type, data }) } }
}

function answerAfter(answer: Answer, { type, data }: Pick<ServerEvent, "type" | "data">): Answer {
  if (type === "load") return { ...answer, state: "loading" }
  if (type === "text") return { ...answer, state: "writing", text: answer.text + String(data.text ?? "") }
  if (type === "error") return { ...answer, state: "failed", fault: data as unknown as Fault }
  if (type !== "reply") return answer
  return {
    ...answer,
    state: "done",
    text: String(data.text),
    finishReason: data.finish_reason === "length" ? "length" : "stop",
    numTokens: Number(data.num_tokens),
    tokensPerSecond: typeof data.tokens_per_second === "number" ? data.tokens_per_second : null,
  }
}

/** Tells whether an answer is still on its way. */
export function isOpen({ state }: Answer): boolean {
  return state === "waiting" || state === "loading" || state === "writing"
}

/** Returns an exchange whose open answers have ended: with a fault, or because somebody stopped them. */
export function ended(exchange: Exchange, fault: Fault | null = null): Exchange {
  const end = (answer: Answer): Answer =>
    isOpen(answer) ? { ...answer, state: fault ? "failed" : "stopped", fault } : answer
  return {
    ...exchange,
    answers: Object.fromEntries(Object.entries(exchange.answers).map(([model, answer]) => [model, end(answer)])),
  }
}

/** Returns what one model is asked: its own questions and answers so far, then the new question. */
export function turnsFor(model: string, thread: readonly Exchange[], question: string): Turn[] {
  const before = thread.flatMap(({ question: content, answers }): Turn[] => {
    const said = answers[model]?.text
    return said
      ? [
          { role: "user", content },
          { role: "assistant", content: said },
        ]
      : []
  })
  return [...before, { role: "user", content: question }]
}
