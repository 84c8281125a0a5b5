import type { ReactNode } from "react"
import type { ComparedJob } from "@/api/comparisons"
import { LongName } from "@/components/ui/long-name"
import { Letter } from "./letter"

export interface Line {
  key: string
  name: ReactNode
  cells: readonly ReactNode[]
}

/** A table with a column for each job; where it is narrow, the letters alone stand over them, on phones names over their lines. */
export function JobColumns({
  caption,
  jobs,
  lines,
}: {
  caption: string
  jobs: readonly ComparedJob[]
  lines: readonly Line[]
}) {
  return (
    <div className="@container">
      <table className="w-full border-collapse text-14 max-md:table-fixed">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            <td className="max-md:hidden" />
            {jobs.map(({ id, name }, position) => (
              <th key={id} scope="col" className="px-2 py-1.5 text-right align-bottom text-s font-medium text-ink-2">
                <Letter position={position} />
                <span className="ml-1.5 @max-2xl:sr-only">
                  <LongName>{name}</LongName>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        {lines.map(({ key, name, cells }) => (
          <tbody key={key} className="border-t hover:bg-sunk/50">
            <tr className="md:hidden">
              <th scope="rowgroup" colSpan={jobs.length} className={`pt-2 ${NAME}`}>
                {name}
              </th>
            </tr>
            <tr>
              <th scope="row" className={`min-w-36 py-2 pr-2 max-md:hidden ${NAME}`}>
                {name}
              </th>
              {cells.map((cell, position) => (
                <td key={jobs[position]?.id} className="px-2 py-2 text-right align-top font-semibold">
                  {typeof cell === "string" ? <LongName>{cell}</LongName> : cell}
                </td>
              ))}
            </tr>
          </tbody>
        ))}
      </table>
    </div>
  )
}

const NAME = "text-left font-normal text-ink-2"
