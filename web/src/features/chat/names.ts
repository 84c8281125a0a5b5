import type { ChatModel } from "@/api/chat"
import { type Translate, useText } from "@/lib/text"

/** Returns what people call a model; one that is not there is called by its id. */
export function modelName(model: ChatModel | undefined, id: string, t: Translate): string {
  if (model?.kind === "job") return t("web.chat.after", { name: model.name })
  if (model?.kind === "base") return t("web.chat.before", { name: model.name })
  if (model?.kind === "export") return `${model.name} ${id.slice(id.lastIndexOf("/") + 1)}`
  return model?.name ?? id
}

/** Returns the function that names models by their ids. */
export function useNames(models: readonly ChatModel[]): (id: string) => string {
  const t = useText()
  return (id) =>
    modelName(
      models.find((model) => model.id === id),
      id,
      t,
    )
}

/** Tells whether a model is one that was trained here: its side has the accent. */
export function isTuned(id: string): boolean {
  return (id.startsWith("job:") && !id.endsWith("@base")) || id.startsWith("export:")
}
