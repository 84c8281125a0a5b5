import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { type ChatModel, keepQuestion } from "@/api/chat"
import { addRow, datasetKeys, datasetQueries } from "@/api/datasets"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Dialog } from "@/components/ui/dialog"
import { Field, INPUT, Select } from "@/components/ui/field"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"
import { FIRST_ROWS, rowLike } from "../questions"
import { useDatasetOf } from "../use-dataset-of"

/** Where a question with its right answer goes: among what evaluations ask, or into data to train on. */
export type Destination = "question" | "dataset"

/** Asks for the right answer to a question, and keeps both. */
export function RightAnswerDialog({
  destination,
  question,
  answer,
  models,
  chosen,
  onClose,
}: {
  destination: Destination
  question: string
  answer: string
  models: readonly ChatModel[]
  chosen: readonly string[]
  onClose: () => void
}) {
  const t = useText()
  const client = useQueryClient()
  const [prompt, setPrompt] = useState(question)
  const [reference, setReference] = useState(answer)
  const [wanted, setWanted] = useState<string | null>(null)
  const learned = useDatasetOf(models, chosen)
  const datasets = useQuery(datasetQueries.list())
  const dataset = wanted ?? learned
  const rows = useQuery({
    ...datasetQueries.rows(dataset ?? "", FIRST_ROWS),
    enabled: destination === "dataset" && !!dataset,
    placeholderData: undefined, // rows of another dataset would have another form
  })
  const row = rows.data && rowLike(rows.data.items, prompt.trim(), reference.trim())
  const keep = useMutation({
    mutationFn: async () => {
      if (destination === "question") await keepQuestion({ prompt, reference, paraphrases: [] })
      else if (dataset && row && rows.data) await addRow(dataset, rows.data.version, row)
    },
    onSettled: () => client.invalidateQueries({ queryKey: datasetKeys.all }), // after a conflict, too
    onSuccess: () => {
      toast(t(destination === "question" ? "web.chat.question_kept" : "web.chat.row_added"))
      onClose()
    },
  })
  const isWhole = prompt.trim() !== "" && reference.trim() !== "" && (destination === "question" || row != null)
  return (
    <Dialog
      title={t(destination === "question" ? "web.chat.keep_question" : "web.chat.add_row")}
      isOpen
      onClose={onClose}
      actions={
        <Button look="main" disabled={!isWhole} isBusy={keep.isPending} onClick={() => keep.mutate()}>
          {t("web.chat.add")}
        </Button>
      }
    >
      <div className="grid gap-3">
        <p className="text-14 text-ink-2">
          {t(destination === "question" ? "web.chat.keep_question_words" : "web.chat.add_row_words")}
        </p>
        <Area label={t("web.chat.question")} value={prompt} onValue={setPrompt} />
        <Area label={t("web.chat.right_answer")} value={reference} onValue={setReference} />
        {destination === "dataset" ? (
          <Select
            label={t("web.chat.dataset")}
            value={dataset ?? ""}
            error={rows.data && row === null ? t("web.chat.no_such_rows") : undefined}
            onChange={(event) => setWanted(event.target.value)}
          >
            {datasets.data?.items.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
        ) : null}
        {rows.isError ? <Failed error={rows.error} onRetry={() => rows.refetch()} /> : null}
        {keep.isError ? <Failed error={keep.error} /> : null}
      </div>
    </Dialog>
  )
}

function Area({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <Field
      label={label}
      control={(ids) => (
        <textarea
          {...ids}
          rows={2}
          className={`${INPUT} field-sizing-content max-h-60 resize-none`}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    />
  )
}
