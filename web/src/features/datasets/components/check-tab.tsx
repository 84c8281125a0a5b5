import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { type Dataset, datasetQueries } from "@/api/datasets"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import type { TextKey } from "@/lib/text"
import { useText } from "@/lib/text"
import { Pager } from "./pager"
import { ProblemLine } from "./problem-line"
import { useRepair } from "./repair"

/** What repairs a finding, by its code; whatever is an error can be left out besides. */
const REPAIRS: Readonly<Record<string, { action: string; name: TextKey }>> = {
  duplicate: { action: "deduplicate", name: "web.dataset.deduplicate" },
  preference_data: { action: "keep_chosen", name: "web.dataset.keep_chosen" },
}

/** What the check has found, errors first, and the buttons that mend it. */
export function CheckTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const [code, setCode] = useState<string | null>(null)
  const [places, setPlaces] = useState([0])
  const problems = useQuery(datasetQueries.problems(dataset.id, code, places.at(-1) ?? 0))
  return (
    <Sheet>
      <QueryView
        query={problems}
        isEmpty={({ items, counts }) => items.length === 0 && Object.keys(counts).length === 0}
        empty={<Empty words={t("web.dataset.no_problems")} />}
      >
        {({ items, counts, next_cursor }) => (
          <div className="grid gap-4">
            <Repairs dataset={dataset} codes={Object.keys(counts)} />
            <CodeChoice
              counts={counts}
              code={code}
              onCode={(chosen) => {
                setCode(chosen)
                setPlaces([0])
              }}
            />
            <ul className="grid gap-3">
              {items.map((problem) => (
                <li key={`${problem.code} ${problem.line} ${problem.row} ${problem.field}`}>
                  <ProblemLine problem={problem} hasPlace />
                </li>
              ))}
            </ul>
            <Pager before={places} next={next_cursor} onPlaces={setPlaces} />
          </div>
        )}
      </QueryView>
    </Sheet>
  )
}

function Repairs({ dataset, codes }: { dataset: Dataset; codes: readonly string[] }) {
  const t = useText()
  const repair = useRepair(dataset)
  const offers = codes.flatMap((code) => REPAIRS[code] ?? [])
  const all = dataset.ok ? offers : [{ action: "drop_invalid", name: "web.dataset.drop_invalid" } as const, ...offers]
  if (all.length === 0) return null
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap gap-2">
        {all.map(({ action, name }, index) => (
          <Button
            key={action}
            look={index === 0 ? "main" : "plain"}
            isBusy={repair.isPending && repair.variables.actions?.[0] === action}
            onClick={() => repair.mutate({ actions: [action] })}
          >
            {t(name)}
          </Button>
        ))}
      </div>
      {repair.isError ? <Failed error={repair.error} /> : null}
    </div>
  )
}

function CodeChoice({
  counts,
  code,
  onCode,
}: {
  counts: Readonly<Record<string, number>>
  code: string | null
  onCode: (code: string | null) => void
}) {
  const t = useText()
  const codes = Object.entries(counts)
  if (codes.length < 2) return null
  return (
    <fieldset className="flex flex-wrap gap-2 text-s">
      <legend className="sr-only">{t("web.dataset.which_problems")}</legend>
      {[[null, 0] as const, ...codes].map(([one, count]) => (
        <button
          key={one ?? ""}
          type="button"
          aria-pressed={one === code}
          onClick={() => onCode(one)}
          className="min-h-7 rounded-full border px-3 text-ink-2 aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
        >
          {one === null ? t("web.jobs.all") : <code>{one}</code>} {count > 0 ? count.toLocaleString() : null}
        </button>
      ))}
    </fieldset>
  )
}
