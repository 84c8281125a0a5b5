import { queryOptions } from "@tanstack/react-query"
import { currentLanguage } from "@/lib/text"
import { call } from "./client"
import { errorOf, lostError } from "./error"
import type { components } from "./schema"
import { EventParser, type ServerEvent } from "./sse"

export type ChatModel = components["schemas"]["ChatModel"]
export type ChatWish = Partial<components["schemas"]["ChatRequest"]> &
  Pick<components["schemas"]["ChatRequest"], "columns">
export type Turn = components["schemas"]["Turn"]
export type Question = components["schemas"]["Question"]

/** How many models can be asked at once. */
export const MOST_COLUMNS = 3

export const chatQueries = {
  models: () =>
    queryOptions({
      queryKey: ["chat", "models"] as const,
      queryFn: ({ signal }) => call("get", "/api/chat/models", { signal }),
      staleTime: 0, // a job that has just ended can be asked
    }),
}

/** Asks several models at once and passes on what they tell, until all have answered or the signal aborts. */
export async function askModels(
  wish: ChatWish,
  signal: AbortSignal,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const answer = await fetch("/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": currentLanguage() },
    body: JSON.stringify(wish),
    signal,
  }).catch((error) => {
    throw signal.aborted ? error : lostError()
  })
  if (!answer.ok || !answer.body) throw await errorOf(answer)
  const [parser, decoder, reader] = [new EventParser(), new TextDecoder(), answer.body.getReader()]
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal.aborted ? error : lostError()
    })
    if (done) return
    for (const event of parser.push(decoder.decode(value, { stream: true }))) onEvent(event)
  }
}

/** Keeps a question with its right answer for evaluations. */
export function keepQuestion(body: Question) {
  return call("post", "/api/chat/questions", { body })
}
