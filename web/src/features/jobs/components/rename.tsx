import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import { type Job, jobKeys, renameJob } from "@/api/jobs"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Dialog } from "@/components/ui/dialog"
import { TextField } from "@/components/ui/field"
import { useText } from "@/lib/text"

const FORM = "rename"

/** Gives a job another name. */
export function Rename({ job }: { job: Job }) {
  const t = useText()
  const client = useQueryClient()
  const [isOpen, setIsOpen] = useState(false)
  const [name, setName] = useState(job.name)
  const rename = useMutation({
    mutationFn: () => renameJob(job.id, name.trim()),
    onSuccess: () => {
      setIsOpen(false)
      client.invalidateQueries({ queryKey: jobKeys.all })
    },
  })
  const open = () => {
    setName(job.name)
    setIsOpen(true)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim()) rename.mutate()
  }
  return (
    <>
      <Button look="quiet" onClick={open}>
        {t("web.job.rename")}
      </Button>
      <Dialog
        title={t("web.job.rename")}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        actions={
          <Button look="main" type="submit" form={FORM} disabled={!name.trim()} isBusy={rename.isPending}>
            {t("web.save")}
          </Button>
        }
      >
        <form id={FORM} onSubmit={submit} className="grid gap-3">
          <TextField
            label={t("web.new_job.name")}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          {rename.isError ? <Failed error={rename.error} /> : null}
        </form>
      </Dialog>
    </>
  )
}
