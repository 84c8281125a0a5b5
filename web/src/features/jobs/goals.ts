import { create } from "zustand"
import { persist } from "zustand/middleware"
import type { Epoch } from "@/api/jobs"

/** How low the mean loss of an epoch shall be. */
export interface Goal {
  epoch: number
  loss: number
}
export type GoalState = "reached" | "missed" | "open"

const MOST_JOBS = 50 // whose goals this browser remembers

interface Goals {
  ofJob: Readonly<Record<string, readonly Goal[]>>
  setGoals: (jobId: string, goals: readonly Goal[]) => void
}

/** The goals that were marked in this browser; they judge a job and change nothing of it. */
export const useGoals = create<Goals>()(
  persist(
    (set) => ({
      ofJob: {},
      setGoals: (jobId, goals) =>
        set(({ ofJob: { [jobId]: _, ...others } }) => ({
          ofJob: Object.fromEntries([...Object.entries(others).slice(1 - MOST_JOBS), [jobId, goals]]),
        })),
    }),
    { name: "llmlora.goals" },
  ),
)

/** Returns goals with one more, in the order of their epochs; each epoch has one. */
export function withGoal(goals: readonly Goal[], goal: Goal): Goal[] {
  const others = goals.filter(({ epoch }) => epoch !== goal.epoch)
  return [...others, goal].sort((one, other) => one.epoch - other.epoch)
}

/** Tells whether a goal was reached; open as long as its epoch has not ended. */
export function goalState({ epoch, loss }: Goal, epochs: readonly Epoch[], isEnded: boolean): GoalState {
  const found = epochs.find((one) => one.epoch === epoch)
  const isOver = isEnded || epochs.some((one) => one.epoch > epoch)
  if (!found || found.loss === null || !isOver) return "open"
  return found.loss <= loss ? "reached" : "missed"
}
