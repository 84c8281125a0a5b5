import { useMutation, useQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { useState } from "react"
import { datasetQueries } from "@/api/datasets"
import { startTraining } from "@/api/jobs"
import { modelQueries } from "@/api/models"
import { Page } from "@/components/layout/page"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Select, TextField } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** A model, data, and the start. */
export function NewJobPage() {
  const t = useText()
  const navigate = useNavigate()
  const datasets = useQuery(datasetQueries.list()).data?.items ?? []
  const models = useQuery(modelQueries.list()).data?.items ?? []
  const [name, setName] = useState("")
  const [dataset, setDataset] = useState<string | null>(null)
  const [model, setModel] = useState<string | null>(null)
  const chosen = { dataset: dataset ?? datasets[0]?.id, model: model ?? models[0]?.name }
  const start = useMutation({
    mutationFn: startTraining,
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
  })
  const submit = () => {
    if (chosen.dataset && chosen.model) {
      start.mutate({ base_model: chosen.model, dataset_id: chosen.dataset, name: name.trim() || null })
    }
  }
  return (
    <Page title={t("web.new_job.title")}>
      <Sheet className="grid max-w-160 gap-4">
        <TextField label={t("web.new_job.name")} value={name} onChange={(event) => setName(event.target.value)} />
        <Select
          label={t("web.new_job.base_model")}
          value={chosen.model ?? ""}
          onChange={(event) => setModel(event.target.value)}
        >
          {models.map((found) => (
            <option key={found.name}>{found.name}</option>
          ))}
        </Select>
        <Select
          label={t("web.new_job.dataset")}
          value={chosen.dataset ?? ""}
          onChange={(event) => setDataset(event.target.value)}
        >
          {datasets.map((found) => (
            <option key={found.id} value={found.id}>
              {t("web.new_job.dataset_option", { name: found.name, count: found.num_examples })}
            </option>
          ))}
        </Select>
        {start.isError ? <Failed error={start.error} /> : null}
        <Button look="main" isBusy={start.isPending} disabled={!chosen.dataset || !chosen.model} onClick={submit}>
          {chosen.dataset ? t("web.new_job.start") : t("web.new_job.no_dataset")}
        </Button>
      </Sheet>
    </Page>
  )
}
