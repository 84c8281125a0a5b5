import type { ReactNode } from "react"
import { NextStep } from "@/components/next/next-step"
import { Button } from "@/components/ui/button"
import { CopyButton } from "@/components/ui/copy"
import { Icon } from "@/components/ui/icon"
import { LongName } from "@/components/ui/long-name"
import { useText } from "@/lib/text"
import { errorWords } from "./error-words"

/** An error: what and why, what next, its code, and all of it to copy for a report. */
export function Failed({ error, onRetry, children }: { error: unknown; onRetry?: () => void; children?: ReactNode }) {
  const t = useText()
  const words = errorWords(error, t)
  const problems = words.problems ?? []
  const report = [words.code, words.detail, words.hint, ...problems, location.pathname].join("\n")
  return (
    <div role="alert" className="grid gap-2 border-l-3 border-bad py-1 pl-3">
      <p className="flex gap-2 text-14 font-semibold">
        <span className="pt-0.5 text-bad">
          <Icon name="warning" />
        </span>
        <span className="min-w-0">
          <LongName>{words.detail}</LongName>
        </span>
      </p>
      {problems.length > 0 ? (
        <ul className="list-disc pl-6 text-14">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      ) : null}
      <p className="text-14 text-ink-2">{words.hint}</p>
      <div className="flex flex-wrap items-center gap-1">
        <NextStep action={words.action} />
        {onRetry ? <Button onClick={onRetry}>{t("web.retry")}</Button> : null}
        {children}
        <CopyButton text={report} name={t("web.copy_report")} />
        <code className="text-xs text-ink-2">{words.code}</code>
      </div>
    </div>
  )
}
