import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { createSample, datasetKeys, datasetQueries } from "@/api/datasets"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { useTypeName } from "./type-name"

/** The datasets that come with llmlora, each one click away. */
export function SampleList() {
  const t = useText()
  const typeName = useTypeName()
  const client = useQueryClient()
  const navigate = useNavigate()
  const samples = useQuery(datasetQueries.samples())
  const create = useMutation({
    mutationFn: createSample,
    onSuccess: ({ id }) => {
      client.invalidateQueries({ queryKey: datasetKeys.list })
      navigate({ to: "/datasets/$datasetId", params: { datasetId: id }, search: { tab: "rows" } })
    },
  })
  return (
    <Sheet title={t("web.datasets.samples")}>
      {create.isError ? <Failed error={create.error} /> : null}
      <QueryView query={samples}>
        {({ items }) => (
          <ul className="grid gap-x-8 gap-y-4 md:grid-cols-2">
            {items.map((sample) => (
              <li key={sample.name} className="flex items-start justify-between gap-4">
                <div className="min-w-0">
                  <p className="font-semibold text-14">{sample.title}</p>
                  <p className="text-s text-ink-2">
                    {typeName(sample.type)}
                    {t("web.dot")}
                    {t("web.datasets.examples", { count: sample.num_examples })}
                  </p>
                  <p className="text-s text-ink-2">{sample.description}</p>
                </div>
                <Button
                  isBusy={create.isPending && create.variables === sample.name}
                  onClick={() => create.mutate(sample.name)}
                  aria-label={t("web.datasets.use_sample_named", { name: sample.title })}
                >
                  {t("web.datasets.use_sample")}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Sheet>
  )
}
