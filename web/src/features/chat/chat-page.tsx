import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { useEffect } from "react"
import { type ChatModel, chatQueries } from "@/api/chat"
import { Page } from "@/components/layout/page"
import { errorWords } from "@/components/states/error-words"
import { QueryView } from "@/components/states/query-view"
import { Segmented } from "@/components/ui/segmented"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { useUi } from "@/lib/ui"
import { ColumnHeads } from "./components/column-heads"
import { Composer } from "./components/composer"
import { Decoding } from "./components/decoding"
import { Examples } from "./components/examples"
import { ExchangeView } from "./components/exchange-view"
import { useOptions } from "./options"
import { firstModels, type Mode, modelsOf } from "./search"
import { ask, type Place, takeLast, useThread } from "./threads"

/** The same question to up to three models side by side. */
export function ChatPage() {
  const t = useText()
  const navigate = useNavigate()
  const { models: named, mode = "chat" } = useSearch({ from: "/chat" })
  const models = useQuery(chatQueries.models())
  const show = (next: Mode) =>
    navigate({ to: "/chat", search: { models: named, ...(next === "text" ? { mode: next } : {}) }, replace: true })
  return (
    <Page
      title={t("web.page.chat")}
      under={t(mode === "text" ? "web.chat.text_words" : "web.chat.words")}
      actions={
        <Segmented
          label={t("web.chat.mode")}
          value={mode}
          onValue={show}
          options={[
            { value: "chat", name: t("web.chat.mode.chat") },
            { value: "text", name: t("web.chat.mode.text") },
          ]}
        />
      }
    >
      <QueryView query={models} isOnDesk lines={8}>
        {({ items }) => <Chat models={items} />}
      </QueryView>
    </Page>
  )
}

function Chat({ models }: { models: readonly ChatModel[] }) {
  const t = useText()
  const navigate = useNavigate()
  const search = useSearch({ from: "/chat" })
  const { options } = useOptions()
  const named = modelsOf(search)
  const place: Place = { models: named.length > 0 ? named : firstModels(models), mode: search.mode ?? "chat" }
  const { kept, running } = useThread(place)
  useFollowing(running?.id, running)
  const client = useQueryClient()
  const send = async (question: string) => {
    useUi.getState().endGuide()
    await ask(place, question, options, (error) => errorWords(error, t))
    client.invalidateQueries({ queryKey: chatQueries.models().queryKey }) // which are loaded now
  }
  const again = () => {
    const question = takeLast(place)
    if (question !== undefined) send(question)
  }
  const choose = (next: readonly string[]) =>
    navigate({ to: "/chat", search: { ...search, models: next.join(",") }, replace: true })
  return (
    <div className="grid gap-4">
      <Decoding mode={place.mode} />
      <Sheet className="pb-0">
        <ColumnHeads models={models} chosen={place.models} onChoose={choose} />
        {kept.length === 0 && !running ? <Examples models={models} chosen={place.models} onAsk={send} /> : null}
        {kept.map((exchange, number) => (
          <ExchangeView
            key={exchange.id}
            {...{ exchange, models, place }}
            onAgain={number === kept.length - 1 && !running ? again : undefined}
          />
        ))}
        {running ? <ExchangeView exchange={running} models={models} place={place} /> : null}
        <Composer place={place} isRunning={running !== undefined} canClear={kept.length > 0} onSend={send} />
      </Sheet>
    </div>
  )
}

const NEAR = 240 // pixels from the end within which the page follows what is written

/** Keeps the end of the page in view while answers grow, unless the reader has scrolled away from it. */
function useFollowing(asked: string | undefined, changing: unknown): void {
  useEffect(() => {
    if (asked !== undefined) scrollTo({ top: document.documentElement.scrollHeight })
  }, [asked])
  useEffect(() => {
    const { scrollHeight, clientHeight } = document.documentElement
    const left = scrollHeight - clientHeight - scrollY
    if (changing !== undefined && left > 0 && left < NEAR) scrollTo({ top: scrollHeight })
  }, [changing])
}
