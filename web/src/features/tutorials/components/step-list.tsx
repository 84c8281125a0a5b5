import type { TutorialStep } from "@/api/tutorials"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { StepMark } from "./step-mark"

/** All steps of a lesson with their marks; a click goes to the step. */
export function StepList({ steps, next }: { steps: readonly TutorialStep[]; next: string | undefined }) {
  const t = useText()
  const done = steps.filter(({ state }) => state === "done").length
  return (
    <Sheet
      title={t("web.tutorials.progress")}
      aside={<span className="text-14 text-ink-2">{t("web.tutorials.steps_done", { done, total: steps.length })}</span>}
      className="lg:sticky lg:top-20 lg:col-start-2 lg:row-start-1"
    >
      <nav aria-label={t("web.tutorials.progress")}>
        <ol className="grid gap-0.5">
          {steps.map((step) => (
            <li key={step.id} aria-current={step.id === next ? "step" : undefined}>
              <a href={`#${step.id}`} className="flex items-center gap-2 rounded-small px-1 py-1 text-14 hover:bg-sunk">
                <StepMark state={step.state} isShort />
                <span className={step.id === next ? "font-semibold" : ""}>{step.title}</span>
              </a>
            </li>
          ))}
        </ol>
      </nav>
    </Sheet>
  )
}
