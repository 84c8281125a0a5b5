import { type ChatModel, MOST_COLUMNS } from "@/api/chat"

/** `chat` asks as the models were trained to be asked, `text` goes on with a text. */
export type Mode = "chat" | "text"

/** What the address of the chat says: up to three models, and how they are asked. */
export interface ChatSearch {
  models?: string
  mode?: "text"
}

/** Returns what an address says. */
export function chatSearch({ models, mode }: Record<string, unknown>): ChatSearch {
  const found: ChatSearch = {}
  if (typeof models === "string" && models) found.models = models
  if (mode === "text") found.mode = mode
  return found
}

/** Returns the models that an address names: each once, three at most. */
export function modelsOf({ models = "" }: ChatSearch): readonly string[] {
  const names = models.split(",").map((name) => name.trim())
  return [...new Set(names.filter(Boolean))].slice(0, MOST_COLUMNS)
}

/** Returns what to show where an address names none: the newest job before and after, else the first model. */
export function firstModels(models: readonly ChatModel[]): readonly string[] {
  const job = models.find(({ kind }) => kind === "job")
  const before = models.find(({ kind, job_id }) => kind === "base" && job_id === job?.job_id)
  const chosen = job ? [before, job] : models.slice(0, 1)
  return chosen.flatMap((model) => (model ? [model.id] : []))
}
