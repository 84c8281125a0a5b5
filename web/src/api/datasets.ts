import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type DatasetSummary = components["schemas"]["DatasetSummary"]
export type Dataset = components["schemas"]["Dataset"]
export type DatasetRow = components["schemas"]["DatasetRow"]
export type RowProblem = components["schemas"]["RowProblem"]
export type DatasetStats = components["schemas"]["DatasetStats"]
export type DatasetPreview = components["schemas"]["DatasetPreview"]
export type TrainingRow = components["schemas"]["TrainingRow"]
export type Span = components["schemas"]["Span"]
export type Doubts = components["schemas"]["Doubts"]
export type Sample = components["schemas"]["Sample"]
export type RepairRequest = components["schemas"]["RepairRequest"]

/** What is asked about the rows: a place to begin behind, words in them, the code of a problem. */
export interface RowWish {
  cursor: number
  q: string
  problem: string | null
}

/** How the rows are to be seen: for which model, cut at how many tokens, from which row on. */
export interface PreviewWish {
  model: string
  maxLength: number | null
  cursor: number
}

export const ROWS_PER_PAGE = 20
export const PREVIEWS_PER_PAGE = 10

export const datasetKeys = {
  all: ["datasets"] as const,
  list: ["datasets", "list"] as const,
  samples: ["datasets", "samples"] as const,
  one: (id: string) => ["datasets", "one", id] as const,
  part: (id: string, part: string, ...wish: unknown[]) => ["datasets", "one", id, part, ...wish] as const,
}

export const datasetQueries = {
  list: () =>
    queryOptions({
      queryKey: datasetKeys.list,
      queryFn: ({ signal }) => call("get", "/api/datasets", { query: { limit: 200 }, signal }),
    }),
  samples: () =>
    queryOptions({
      queryKey: datasetKeys.samples,
      queryFn: ({ signal }) => call("get", "/api/datasets/samples", { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: datasetKeys.one(id),
      queryFn: ({ signal }) => call("get", "/api/datasets/{dataset_id}", { path: { dataset_id: id }, signal }),
    }),
  rows: (id: string, { cursor, q, problem }: RowWish) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "rows", cursor, q, problem),
      queryFn: ({ signal }) =>
        call("get", "/api/datasets/{dataset_id}/rows", {
          path: { dataset_id: id },
          query: { cursor, q, problem, limit: ROWS_PER_PAGE },
          signal,
        }),
      placeholderData: (before) => before,
    }),
  problems: (id: string, code: string | null, cursor: number) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "problems", code, cursor),
      queryFn: ({ signal }) =>
        call("get", "/api/datasets/{dataset_id}/problems", {
          path: { dataset_id: id },
          query: { code, cursor, limit: ROWS_PER_PAGE },
          signal,
        }),
      placeholderData: (before) => before,
    }),
  stats: (id: string, model: string | null) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "stats", model),
      queryFn: ({ signal }) =>
        call("get", "/api/datasets/{dataset_id}/stats", { path: { dataset_id: id }, query: { model }, signal }),
    }),
  preview: (id: string, { model, maxLength, cursor }: PreviewWish) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "preview", model, maxLength, cursor),
      queryFn: ({ signal }) =>
        call("get", "/api/datasets/{dataset_id}/preview", {
          path: { dataset_id: id },
          query: { model, max_length: maxLength, cursor, limit: PREVIEWS_PER_PAGE },
          signal,
        }),
      placeholderData: (before) => before,
      staleTime: Number.POSITIVE_INFINITY, // a version's rows do not change; an edit makes all of it stale
    }),
  versions: (id: string) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "versions"),
      queryFn: ({ signal }) => call("get", "/api/datasets/{dataset_id}/versions", { path: { dataset_id: id }, signal }),
    }),
  jobs: (id: string) =>
    queryOptions({
      queryKey: datasetKeys.part(id, "jobs"),
      queryFn: ({ signal }) => call("get", "/api/datasets/{dataset_id}/jobs", { path: { dataset_id: id }, signal }),
    }),
}

/** Makes a dataset of one that comes with llmlora. */
export function createSample(name: string): Promise<Dataset> {
  return call("post", "/api/datasets/samples/{name}", { path: { name } })
}

/** Deletes a dataset; for ten seconds it can be had back. */
export function deleteDataset(id: string): Promise<DatasetSummary> {
  return call("delete", "/api/datasets/{dataset_id}", { path: { dataset_id: id } })
}

/** Takes a deletion back. */
export function undoDeleteDataset(id: string): Promise<DatasetSummary> {
  return call("post", "/api/datasets/{dataset_id}/undo-delete", { path: { dataset_id: id } })
}

/** Leaves rows out, or reads the file in another way; returns the next version. */
export function repairDataset(id: string, body: RepairRequest): Promise<Dataset> {
  return call("post", "/api/datasets/{dataset_id}/repair", { path: { dataset_id: id }, body })
}

/** Goes back to an earlier version, which makes the next one. */
export function restoreDataset(id: string, version: number, restore: number): Promise<Dataset> {
  return call("post", "/api/datasets/{dataset_id}/restore", { path: { dataset_id: id }, body: { version, restore } })
}

/** Changes some fields of one row; returns the next version. */
export function editRow(id: string, row: number, version: number, fields: Record<string, unknown>): Promise<Dataset> {
  return call("patch", "/api/datasets/{dataset_id}/rows/{row}", {
    path: { dataset_id: id, row },
    body: { version, fields },
  })
}

/** Adds a row behind the others; returns the next version. */
export function addRow(id: string, version: number, value: Record<string, unknown>): Promise<Dataset> {
  return call("post", "/api/datasets/{dataset_id}/rows", { path: { dataset_id: id }, body: { version, value } })
}

/** Makes two datasets of one, to train on and to evaluate with. */
export function splitDataset(id: string, share: number): Promise<components["schemas"]["DatasetPair"]> {
  return call("post", "/api/datasets/{dataset_id}/split", {
    path: { dataset_id: id },
    body: { share, seed: 0, drop_invalid: false },
  })
}
