import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useState } from "react"
import { type Dataset, type DatasetSummary, datasetKeys, splitDataset } from "@/api/datasets"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { LongName } from "@/components/ui/long-name"
import { NumberField } from "@/components/ui/number-field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** One dataset becomes two, to train on and to evaluate with; the same rows always fall to the same side. */
export function SplitTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const client = useQueryClient()
  const [percent, setPercent] = useState<number | null>(10)
  const split = useMutation({
    mutationFn: (share: number) => splitDataset(dataset.id, share),
    onSuccess: () => client.invalidateQueries({ queryKey: datasetKeys.list }),
  })
  return (
    <Sheet>
      <div className="grid max-w-120 justify-items-start gap-4">
        <p className="text-14 text-ink-2">{t("web.split.words")}</p>
        <NumberField
          label={t("web.split.share")}
          help={t("web.split.share_help")}
          value={percent}
          min={1}
          max={90}
          onValue={setPercent}
        />
        <Button
          look="main"
          disabled={!dataset.ok || percent === null}
          isBusy={split.isPending}
          onClick={() => percent !== null && split.mutate(percent / 100)}
        >
          {t("web.dataset.split")}
        </Button>
        {split.isError ? <Failed error={split.error} /> : null}
        {split.data ? (
          <ul className="grid gap-1 text-14">
            <Part dataset={split.data.train} />
            <Part dataset={split.data.eval} />
          </ul>
        ) : null}
      </div>
    </Sheet>
  )
}

function Part({ dataset }: { dataset: DatasetSummary }) {
  const t = useText()
  return (
    <li>
      <Link
        to="/datasets/$datasetId"
        params={{ datasetId: dataset.id }}
        search={{ tab: "rows" }}
        className="text-accent underline underline-offset-3"
      >
        <LongName>{dataset.name}</LongName>
      </Link>{" "}
      <span className="text-ink-2">{t("web.datasets.examples", { count: dataset.num_examples })}</span>
    </li>
  )
}
