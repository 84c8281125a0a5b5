import type { ReactNode } from "react"
import { useIsNarrow } from "@/lib/narrow"
import { LongName } from "./long-name"

export interface Column<Row> {
  name: string
  cell: (row: Row) => ReactNode
  isNumber?: boolean
  /** Left out where the screen is narrow. */
  isWide?: boolean
}

interface TableProps<Row> {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** On phones the first column stands over the others, in a line of its own. */
  isStacked?: boolean
}

/** A table with a caption for readers; on phones the wide columns go. */
export function Table<Row>({ caption, columns, rows, keyOf, isStacked = false }: TableProps<Row>) {
  const isNarrow = useIsNarrow()
  const [first, ...others] = columns
  const head = isStacked && isNarrow ? first : undefined
  const shown = head ? others.filter(({ isWide }) => !isWide) : columns
  return (
    <table className="w-full border-collapse text-14">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr>
          {shown.map((column) => (
            <th
              key={column.name}
              scope="col"
              className={`border-b px-2 py-1.5 text-s font-medium text-ink-2 ${headClass(column)}`}
            >
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      {head ? (
        rows.map((row) => (
          <tbody key={keyOf(row)} className="border-b last:border-0">
            <tr>
              <th scope="rowgroup" colSpan={shown.length} className="px-2 pt-2 text-left font-normal">
                <Cell column={head} row={row} />
              </th>
            </tr>
            <Cells columns={shown} row={row} />
          </tbody>
        ))
      ) : (
        <tbody className="[&>tr]:border-b [&>tr:last-child]:border-0">
          {rows.map((row) => (
            <Cells key={keyOf(row)} columns={shown} row={row} />
          ))}
        </tbody>
      )}
    </table>
  )
}

function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return (
    <tr className="hover:bg-sunk/50">
      {columns.map((column) => (
        <td
          key={column.name}
          className={`px-2 py-2 ${cellClass(column)} ${column.isNumber ? "whitespace-nowrap" : ""}`}
        >
          <Cell column={column} row={row} />
        </td>
      ))}
    </tr>
  )
}

/** What a column shows of a row; words that stand alone may be a name or an id. */
function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const shown = column.cell(row)
  return typeof shown === "string" && !column.isNumber ? <LongName>{shown}</LongName> : shown
}

function cellClass({ isNumber, isWide }: { isNumber?: boolean; isWide?: boolean }): string {
  return `${isNumber ? "text-right" : "text-left"} ${isWide ? "max-md:hidden" : ""}`
}

/** Names and numbers keep their width: narrow columns would come apart letter by letter. */
function headClass(column: { isNumber?: boolean; isWide?: boolean }): string {
  return `${cellClass(column)} [overflow-wrap:normal] [word-break:auto-phrase]`
}
