import type { Export } from "@/api/exports"
import { type Verdict, verdictOf } from "./checks"

/** What an export is worth as a whole: the verdict on the file to use, and how many of its files are verified. */
export interface Worth {
  kind: Verdict | "none"
  file: string
  verified: number
  total: number
  [place: string]: string | number
}

/** Returns what an export is worth; without a file to use, what its worst file is. */
export function worthOf({ files, model_file: used }: Export): Worth {
  const verdicts = files.map((file) => verdictOf(file))
  const chosen = files.find(({ file }) => file === used)
  const verdict = chosen ? verdictOf(chosen) : verdicts.includes("failed") ? "failed" : null
  return {
    kind: verdict ?? "none",
    file: used ?? "",
    verified: verdicts.filter((found) => found === "verified").length,
    total: files.length,
  }
}
