import type { RowProblem } from "@/api/datasets"
import { Icon } from "@/components/ui/icon"
import { useText } from "@/lib/text"

/** One finding about a row: where, what, and what to do. */
export function ProblemLine({ problem, hasPlace = false }: { problem: RowProblem; hasPlace?: boolean }) {
  const t = useText()
  const isError = problem.level === "error"
  return (
    <div className="flex gap-2 text-14">
      <span className={`pt-0.5 ${isError ? "text-bad" : "text-warn"}`}>
        <Icon name="warning" size={16} />
      </span>
      <div className="min-w-0">
        <p>
          <span className="sr-only">{t(isError ? "web.dataset.error" : "web.dataset.warning")}</span>
          {hasPlace && problem.line !== null ? (
            <span className="mr-2 text-ink-2">{t("web.dataset.line", { line: problem.line })}</span>
          ) : null}
          {problem.message}
        </p>
        <p className="whitespace-pre-line text-s text-ink-2">{problem.hint}</p>
      </div>
    </div>
  )
}
