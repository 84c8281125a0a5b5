import { Link } from "@tanstack/react-router"
import type { TutorialStep } from "@/api/tutorials"
import { Button, buttonClass } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { isOnlyRead } from "../steps"
import { LessonText } from "./lesson-text"
import { StepMark } from "./step-mark"

/** One step: what to do, where, and what the workspace says of it. */
export function LessonStep({
  number,
  step,
  level,
  dataset,
  isChecking,
  onCheck,
  onMark,
}: {
  number: number
  step: TutorialStep
  level: number
  dataset: string
  isChecking: boolean
  onCheck: () => void
  onMark: (isDone: boolean) => void
}) {
  const t = useText()
  const title = (
    <span id={step.id} className="scroll-mt-20">
      {t("web.tutorials.step_title", { number: String(number), title: step.title })}
    </span>
  )
  return (
    <Sheet title={title} aside={<StepMark state={step.state} />}>
      <LessonText text={step.text} />
      {step.texts.length > 0 ? <Found step={step} /> : null}
      <div className="mt-4 flex flex-wrap gap-2">
        {step.kind === "dataset" ? (
          <a href={`/api/tutorials/${level}/data`} download={dataset} className={buttonClass()}>
            <Icon name="down" size={16} />
            {t("web.tutorials.save_data")}
          </a>
        ) : null}
        <Link to={step.page} className={buttonClass()}>
          {t("web.tutorials.open_page")}
        </Link>
        {isOnlyRead(step) ? (
          <Button onClick={() => onMark(step.state !== "done")}>
            {t(step.state === "done" ? "web.tutorials.unmark" : "web.tutorials.mark")}
          </Button>
        ) : (
          <Button isBusy={isChecking} onClick={onCheck}>
            {t("web.tutorials.check")}
          </Button>
        )}
      </div>
    </Sheet>
  )
}

function Found({ step }: { step: TutorialStep }) {
  const t = useText()
  const isDifferent = step.state === "differs"
  return (
    <div
      className={`mt-4 rounded-medium px-3 py-2 text-14 ${isDifferent ? "bg-warn-soft text-warn" : "bg-good-soft text-good"}`}
    >
      <p className="font-semibold">{t(isDifferent ? "web.tutorials.differs" : "web.tutorials.found")}</p>
      <ul>
        {step.texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  )
}
