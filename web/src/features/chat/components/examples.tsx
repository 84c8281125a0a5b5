import { useQuery } from "@tanstack/react-query"
import type { ChatModel } from "@/api/chat"
import { datasetQueries } from "@/api/datasets"
import { Empty } from "@/components/states/empty"
import { Button, LONG_WORDS } from "@/components/ui/button"
import { Skeleton } from "@/components/ui/skeleton"
import { useText } from "@/lib/text"
import { FIRST_ROWS, questionsOf } from "../questions"
import { useDatasetOf } from "../use-dataset-of"

/** What to ask first: questions of the data that a column was trained on. */
export function Examples({
  models,
  chosen,
  onAsk,
}: {
  models: readonly ChatModel[]
  chosen: readonly string[]
  onAsk: (question: string) => void
}) {
  const t = useText()
  const dataset = useDatasetOf(models, chosen)
  const rows = useQuery({
    ...datasetQueries.rows(dataset ?? "", FIRST_ROWS),
    enabled: Boolean(dataset),
    retry: false,
  })
  const questions = questionsOf(rows.data?.items ?? [])
  if (dataset === null || rows.isLoading)
    return (
      <div className="py-4" aria-busy="true">
        <Skeleton lines={4} />
      </div>
    )
  return (
    <div className="py-4">
      <Empty words={t(questions.length > 0 ? "web.chat.empty" : "web.chat.empty_alone")}>
        {questions.map((question) => (
          <Button key={question} className={LONG_WORDS} onClick={() => onAsk(question)}>
            {question}
          </Button>
        ))}
      </Empty>
    </div>
  )
}
