import { useMutation, useQueryClient } from "@tanstack/react-query"
import { exportKeys } from "@/api/exports"
import { changeJob, jobKeys } from "@/api/jobs"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { toast } from "@/components/ui/toast"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** Deletes what a job has made and says how much that frees; for ten seconds it can be had back. */
export function DeleteWork({ id, name, sizeOf }: { id: string; name: string; sizeOf: () => Promise<number | null> }) {
  const t = useText()
  const language = useLanguage()
  const client = useQueryClient()
  const refresh = () => {
    client.invalidateQueries({ queryKey: jobKeys.lists })
    client.invalidateQueries({ queryKey: exportKeys.all })
  }
  const onError = (error: Error) => toastError(error, t)
  const undo = useMutation({ mutationFn: () => changeJob(id, "undo-delete"), onError, onSettled: refresh })
  const remove = useMutation({
    mutationFn: async () => {
      const bytes = await sizeOf()
      await changeJob(id, "delete")
      return bytes
    },
    onSuccess: (bytes) => {
      const size = bytes === null ? "–" : formatBytes(bytes, language)
      toast(t("web.models.deleted", { name, size }), { undo: undo.mutate })
    },
    onError,
    onSettled: refresh,
  })
  return (
    <Button
      look="quiet"
      isBusy={remove.isPending}
      aria-label={t("web.models.delete_named", { name })}
      onClick={() => remove.mutate()}
    >
      {t("web.delete")}
    </Button>
  )
}
