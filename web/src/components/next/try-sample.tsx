import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { createSample, datasetKeys } from "@/api/datasets"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"

const FIRST_SAMPLE = "level1_basic_qa"

/** One click from nothing to the form of the first job, filled in. */
export function TrySample() {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const create = useMutation({
    mutationFn: () => createSample(FIRST_SAMPLE),
    onSuccess: ({ id }) => {
      client.invalidateQueries({ queryKey: datasetKeys.list })
      navigate({ to: "/jobs/new", search: { dataset: id } })
    },
  })
  return (
    <>
      <Button look="main" isBusy={create.isPending} onClick={() => create.mutate()}>
        {t("web.checklist.sample")}
      </Button>
      {create.isError ? <Failed error={create.error} /> : null}
    </>
  )
}
