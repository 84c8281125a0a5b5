import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Tutorial = components["schemas"]["Tutorial"]
export type TutorialDetail = components["schemas"]["TutorialDetail"]
export type TutorialStep = components["schemas"]["TutorialStep"]

export const tutorialKeys = {
  all: ["tutorials"] as const,
  one: (level: number, language: string) => [...tutorialKeys.all, level, language] as const,
}

/** Lessons come in the reader's language, so it is part of their keys; datasets tell nobody of their changes. */
export const tutorialQueries = {
  list: (language: string) =>
    queryOptions({
      queryKey: [...tutorialKeys.all, "list", language],
      staleTime: 0,
      queryFn: ({ signal }) => call("get", "/api/tutorials", { signal }),
    }),
  one: (level: number, language: string) =>
    queryOptions({
      queryKey: tutorialKeys.one(level, language),
      staleTime: 0,
      queryFn: ({ signal }) => call("get", "/api/tutorials/{level}", { path: { level }, signal }),
    }),
}

/** Marks a step that is only read as done or not; returns the lesson. */
export function markStep(level: number, step_id: string, is_done: boolean): Promise<TutorialDetail> {
  return call("put", "/api/tutorials/{level}/steps/{step_id}", { path: { level, step_id }, body: { is_done } })
}
