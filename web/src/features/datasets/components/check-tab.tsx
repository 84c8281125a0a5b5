import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { type Dataset, datasetQueries } from "@/api/datasets"
import { NextStep } from "@/components/next/next-step"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Select } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { Pager } from "./pager"
import { ProblemLine } from "./problem-line"

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
            <Repairs dataset={dataset} />
            <CodeChoice
              dataset={dataset}
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

/** The buttons of the steps that the findings propose, each once. */
function Repairs({ dataset }: { dataset: Dataset }) {
  const actions = new Map(dataset.problems.map(({ action }) => [JSON.stringify(action), action]))
  return (
    <div className="flex flex-wrap gap-2 empty:hidden">
      {[...actions].map(([key, action]) => (
        <NextStep key={key} action={action} />
      ))}
    </div>
  )
}

/** Which findings are listed: each kind by what its first one says. */
function CodeChoice({
  dataset,
  counts,
  code,
  onCode,
}: {
  dataset: Dataset
  counts: Readonly<Record<string, number>>
  code: string | null
  onCode: (code: string | null) => void
}) {
  const t = useText()
  const codes = Object.entries(counts)
  if (codes.length < 2) return null
  const wordsOf = (wanted: string) => dataset.problems.find((problem) => problem.code === wanted)?.message ?? wanted
  return (
    <div className="max-w-120">
      <Select
        label={t("web.dataset.which_problems")}
        value={code ?? ""}
        onChange={(event) => onCode(event.target.value || null)}
      >
        <option value="">{t("web.jobs.all")}</option>
        {codes.map(([one, count]) => (
          <option key={one} value={one}>
            {t("web.dataset.problems_like", { words: wordsOf(one), count })}
          </option>
        ))}
      </Select>
    </div>
  )
}
