import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { type Dataset, type DatasetRow, datasetKeys, editRow } from "@/api/datasets"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Dialog } from "@/components/ui/dialog"
import { Field, INPUT } from "@/components/ui/field"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"

/** The fields of one row that are text, to change them; jobs go on with the version that they were given. */
export function EditRow({ dataset, row, onClose }: { dataset: Dataset; row: DatasetRow; onClose: () => void }) {
  const t = useText()
  const client = useQueryClient()
  const before = Object.entries(row.fields ?? {}).filter(([, value]) => typeof value === "string")
  const [changes, setChanges] = useState<Record<string, string>>({})
  const save = useMutation({
    mutationFn: () => editRow(dataset.id, row.row, dataset.version, changes),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: datasetKeys.one(dataset.id) })
      toast(t("web.dataset.row_changed", { row: row.row }))
      onClose()
    },
  })
  return (
    <Dialog
      title={t("web.dataset.edit_row", { row: row.row })}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("web.cancel")}</Button>
          <Button
            look="main"
            isBusy={save.isPending}
            disabled={Object.keys(changes).length === 0}
            onClick={() => save.mutate()}
          >
            {t("web.save")}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        {before.map(([name, value]) => (
          <Field
            key={name}
            label={name}
            control={(ids) => (
              <textarea
                {...ids}
                rows={Math.min(12, 2 + String(value).split("\n").length)}
                value={changes[name] ?? String(value)}
                onChange={(event) => setChanges({ ...changes, [name]: event.target.value })}
                className={INPUT}
              />
            )}
          />
        ))}
        {save.isError ? <Failed error={save.error} /> : null}
      </div>
    </Dialog>
  )
}
