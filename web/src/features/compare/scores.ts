import type { EvaluatedItem, EvaluationReport } from "@/api/evaluations"

/** A question that all evaluated jobs were asked, with what each of them answered; null is not evaluated. */
export interface SharedItem {
  question: string
  reference: string
  items: readonly (EvaluatedItem | null)[]
}

/** How the first job did beside the best of the others. */
export type Outcome = "lost" | "tied" | "won"

type Reports = readonly (EvaluationReport | null)[]

const keyOf = ({ question, reference }: EvaluatedItem) => JSON.stringify([question, reference])
const NEARLY = 0.02 // of chrF, which differs by a word without being better

/** Returns the questions that every evaluated job was asked, in the order of the first of them; needs two such jobs. */
export function sharedItems(reports: Reports): SharedItem[] {
  const byQuestion = reports.map((report) => report && new Map(report.items.map((item) => [keyOf(item), item])))
  const evaluated = byQuestion.filter((items) => items !== null)
  const [first] = evaluated
  if (!first || evaluated.length < 2) return []
  return [...first.entries()].flatMap(([key, { question, reference }]) =>
    evaluated.every((items) => items.has(key))
      ? [{ question, reference, items: byQuestion.map((items) => items?.get(key) ?? null) }]
      : [],
  )
}

/** Returns how good an answer is, 0 to 1: the share of the facts it gives, or how near it is where there are none. */
export function scoreOf({ facts, tuned }: EvaluatedItem): number {
  return facts.length > 0 ? facts.filter((fact) => fact.tuned).length / facts.length : tuned.chrf
}

/** Returns how the first job did with a question. */
export function outcomeOf({ items: [first, ...others] }: SharedItem): Outcome {
  const known = others.filter((item) => item !== null)
  if (!first || known.length === 0) return "tied"
  const best = Math.max(...known.map(scoreOf))
  const air = first.facts.length > 0 ? 0 : NEARLY
  const score = scoreOf(first)
  if (score < best - air) return "lost"
  return score > best + air ? "won" : "tied"
}

const ORDER: readonly Outcome[] = ["lost", "tied", "won"]

/** Returns questions with those first in which the first job lost; of equal ones those answered worst. */
export function lossesFirst(items: readonly SharedItem[]): SharedItem[] {
  const worst = ({ items: answers }: SharedItem) =>
    Math.min(...answers.flatMap((item) => (item ? [scoreOf(item)] : [])))
  return [...items].sort(
    (one, other) => ORDER.indexOf(outcomeOf(one)) - ORDER.indexOf(outcomeOf(other)) || worst(one) - worst(other),
  )
}

/** What was counted of the shared questions, and who did best. */
export interface Tally {
  questions: number
  /** Facts in all references. */
  facts: number
  /** Facts that the base model answered. */
  before: number
  /** Of each job the facts it answered, or its mean nearness where no question has facts; null is not evaluated. */
  scores: readonly (number | null)[]
  /** Positions of the best; several when they are equal, none when there is nothing to tell them by. */
  leaders: readonly number[]
}

/** Returns what there is to count of the shared questions. */
export function tallyOf(shared: readonly SharedItem[], numJobs: number): Tally {
  const answersOf = (job: number) => shared.flatMap(({ items }) => items[job] ?? [])
  const first = shared.flatMap(({ items }) => items.find((item) => item !== null) ?? [])
  const facts = first.reduce((sum, item) => sum + item.facts.length, 0)
  const before = first.reduce((sum, item) => sum + item.facts.filter(({ base }) => base).length, 0)
  const scores = Array.from({ length: numJobs }, (_, job) => {
    const answers = answersOf(job)
    if (answers.length === 0) return null
    if (facts > 0) return answers.reduce((sum, item) => sum + item.facts.filter(({ tuned }) => tuned).length, 0)
    return answers.reduce((sum, { tuned }) => sum + tuned.chrf, 0) / answers.length
  })
  const best = Math.max(...scores.filter((score) => score !== null))
  const air = facts > 0 ? 0 : NEARLY
  const leaders = scores.flatMap((score, job) => (score !== null && score >= best - air ? [job] : []))
  return { questions: shared.length, facts, before, scores, leaders }
}

/** Returns the jobs to evaluate, so that all were asked the same: those that lack it, or all when they differ. */
export function toEvaluate(reports: Reports): number[] {
  const missing = reports.flatMap((report, job) => (report === null ? [job] : []))
  const numEvaluated = reports.length - missing.length
  const isApart = numEvaluated >= 2 && sharedItems(reports).length === 0
  return isApart ? reports.map((_, job) => job) : missing
}

/** Returns the dataset to ask questions of: none when all learned the same data, whose own questions are better. */
export function questionsFor(datasets: readonly (string | null)[]): string | null {
  return new Set(datasets).size > 1 ? (datasets.find((id) => id !== null) ?? null) : null
}
