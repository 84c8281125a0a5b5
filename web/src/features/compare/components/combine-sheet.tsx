import { useMutation } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { useState } from "react"
import { type CombineMethod, combineAdapters } from "@/api/adapters"
import type { ComparedJob } from "@/api/comparisons"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Select, TextField } from "@/components/ui/field"
import { NumberField } from "@/components/ui/number-field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { type Choice, dropsNumbers, METHODS, requestOf, weightsOf } from "../combination"
import { letterOf } from "./letter"

const MOST_WEIGHT = 1000

/** Makes one job of the adapters of those compared, by weights; it is evaluated and compared like any other. */
export function CombineSheet({ jobs }: { jobs: readonly ComparedJob[] }) {
  const t = useText()
  const navigate = useNavigate()
  const [choice, setChoice] = useState<Choice>({
    name: "",
    method: "svd",
    weights: jobs.map(() => null),
    density: null,
  })
  const change = (next: Partial<Choice>) => setChoice((now) => ({ ...now, ...next }))
  const combine = useMutation({
    mutationFn: () =>
      combineAdapters(
        requestOf(
          jobs.map(({ id }) => id),
          choice,
        ),
      ),
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
  })
  return (
    <Sheet>
      <details>
        <summary className="w-fit font-semibold">{t("web.combine.title")}</summary>
        <p className="mt-2 mb-3 text-14 text-ink-2">{t("web.combine.words")}</p>
        <div className="grid items-start gap-4 md:grid-cols-2">
          <TextField
            label={t("web.new_job.name")}
            value={choice.name}
            placeholder={jobs.map(({ name }) => name).join(" + ")}
            onChange={(event) => change({ name: event.target.value })}
          />
          <Select
            label={t("web.combine.method")}
            help={t(`web.combine.method.${choice.method}`)}
            value={choice.method}
            onChange={(event) => change({ method: event.target.value as CombineMethod })}
          >
            {METHODS.map((method) => (
              <option key={method}>{method}</option>
            ))}
          </Select>
          <Weights jobs={jobs} weights={choice.weights} onWeights={(weights) => change({ weights })} />
          {dropsNumbers(choice.method) ? (
            <NumberField
              label={t("web.combine.density")}
              help={t("web.combine.density_help")}
              value={choice.density}
              placeholder="0.5"
              min={0.01}
              max={1}
              onValue={(density) => change({ density })}
            />
          ) : null}
        </div>
        <div className="mt-4 grid justify-items-start gap-2">
          {combine.isError ? <Failed error={combine.error} /> : null}
          <Button isBusy={combine.isPending} onClick={() => combine.mutate()}>
            {t("web.combine.start")}
          </Button>
        </div>
      </details>
    </Sheet>
  )
}

function Weights({
  jobs,
  weights,
  onWeights,
}: {
  jobs: readonly ComparedJob[]
  weights: readonly (number | null)[]
  onWeights: (weights: readonly (number | null)[]) => void
}) {
  const t = useText()
  const used = weightsOf(weights)
  return (
    <div className="grid grid-cols-2 gap-4">
      {jobs.map(({ id }, position) => (
        <NumberField
          key={id}
          label={t("web.combine.weight", { name: letterOf(position) })}
          value={weights[position] ?? null}
          placeholder={String(used[position])}
          min={-MOST_WEIGHT}
          max={MOST_WEIGHT}
          onValue={(weight) => onWeights(weights.map((known, at) => (at === position ? weight : known)))}
        />
      ))}
    </div>
  )
}
