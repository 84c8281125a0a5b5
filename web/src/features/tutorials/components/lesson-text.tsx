import { Fragment } from "react"
import { CopyCommand } from "@/components/ui/copy"
import { type Block, blocksOf, spansOf } from "@/lib/markdown"

/** The text of a lesson: paragraphs, lists, tables, boxes, and commands that can be copied. */
export function LessonText({ text }: { text: string }) {
  return <Blocks blocks={blocksOf(text)} />
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <div className="grid max-w-190 grid-cols-1 gap-3">
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a lesson's blocks never change their order
        <BlockView key={index} block={block} />
      ))}
    </div>
  )
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "code":
      return <CopyCommand command={block.text} />
    case "heading":
      return (
        <h3 className="mt-2">
          <Line text={block.text} />
        </h3>
      )
    case "list":
      return <ListView block={block} />
    case "table":
      return <TableView block={block} />
    case "box":
      return (
        <div className="border-l-3 border-line-strong bg-sunk/60 px-3 py-2 text-14">
          <Blocks blocks={block.blocks} />
        </div>
      )
    default:
      return (
        <p>
          <Line text={block.text} />
        </p>
      )
  }
}

function ListView({ block }: { block: Extract<Block, { kind: "list" }> }) {
  const List = block.isOrdered ? "ol" : "ul"
  return (
    <List className={`grid gap-1 pl-6 ${block.isOrdered ? "list-decimal" : "list-disc"}`}>
      {block.items.map((item) => (
        <li key={item}>
          <Line text={item} />
        </li>
      ))}
    </List>
  )
}

function TableView({ block }: { block: Extract<Block, { kind: "table" }> }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <div tabIndex={0} className="overflow-x-auto">
      <table className="border-collapse text-14">
        <thead>
          <tr>
            {block.heads.map((head) => (
              <th key={head} scope="col" className="border-b px-3 py-1.5 text-left font-medium text-ink-2">
                <Line text={head} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row) => (
            <tr key={row.join("|")} className="border-b last:border-0">
              {row.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells may be equal, and stay where they are
                <td key={index} className="px-3 py-1.5 align-top">
                  <Line text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Line({ text }: { text: string }) {
  return spansOf(text).map((span, index) => {
    const key = `${index}:${span.text}`
    if (span.kind === "code") {
      return (
        <code key={key} className="rounded-small bg-sunk px-1 py-0.5 text-[0.92em]">
          {span.text}
        </code>
      )
    }
    return span.kind === "strong" ? <strong key={key}>{span.text}</strong> : <Fragment key={key}>{span.text}</Fragment>
  })
}
