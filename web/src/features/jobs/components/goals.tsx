import { useState } from "react"
import { type Epoch, isEnded, type Job } from "@/api/jobs"
import { Button } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { NumberField } from "@/components/ui/number-field"
import { formatMetric } from "@/lib/format"
import { useText } from "@/lib/text"
import { type Goal, type GoalState, goalState, useGoals, withGoal } from "../goals"

const NONE: readonly Goal[] = []

/** Returns the goals of a job. */
export function useGoalsOf(jobId: string): readonly Goal[] {
  return useGoals(({ ofJob }) => ofJob[jobId]) ?? NONE
}

/** The goals of a job with what became of each, and the two numbers that make one more. */
export function Goals({ job, epochs }: { job: Job; epochs: readonly Epoch[] }) {
  const t = useText()
  const goals = useGoalsOf(job.id)
  const setGoals = useGoals((state) => state.setGoals)
  const last = Math.max(1, Math.ceil(job.progress.num_epochs ?? 1))
  const [epoch, setEpoch] = useState<number | null>(last)
  const [loss, setLoss] = useState<number | null>(1)
  return (
    <details className="mt-3 border-t pt-3" open={goals.length > 0 ? true : undefined}>
      <summary className="w-fit text-14 text-accent">{t("web.goals.title")}</summary>
      <ul className="mt-1 grid gap-0.5">
        {goals.map((goal) => (
          <li key={goal.epoch} className="flex items-center gap-2 text-14">
            <State state={goalState(goal, epochs, isEnded(job))} />
            <span className="flex-1">{t("web.goals.goal", { epoch: goal.epoch, loss: formatMetric(goal.loss) })}</span>
            <Button
              look="quiet"
              onClick={() =>
                setGoals(
                  job.id,
                  goals.filter((one) => one !== goal),
                )
              }
            >
              {t("web.goals.remove")}
            </Button>
          </li>
        ))}
      </ul>
      <div className="mt-2 flex flex-wrap items-end gap-3">
        <div className="w-28">
          <NumberField label={t("web.epochs.epoch")} value={epoch} onValue={setEpoch} min={1} max={last} isWhole />
        </div>
        <div className="w-28">
          <NumberField label={t("web.goals.loss")} value={loss} onValue={setLoss} min={0} />
        </div>
        <Button
          disabled={epoch === null || loss === null}
          onClick={() => epoch !== null && loss !== null && setGoals(job.id, withGoal(goals, { epoch, loss }))}
        >
          {t("web.goals.add")}
        </Button>
      </div>
      <p className="mt-1 text-xs text-ink-3">{t("web.goals.help")}</p>
    </details>
  )
}

const STATES = {
  reached: { icon: "check", color: "text-good" },
  missed: { icon: "close", color: "text-bad" },
  open: { icon: "circle", color: "text-ink-3" },
} as const

function State({ state }: { state: GoalState }) {
  const t = useText()
  const { icon, color } = STATES[state]
  return (
    <span className={`inline-flex items-center gap-1 ${color}`}>
      <Icon name={icon} size={16} />
      <span className="w-14 text-s">{t(`web.goals.${state}`)}</span>
    </span>
  )
}
