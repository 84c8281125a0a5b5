import { createContext } from "react"

/** What an error or a finding is about, where its action does not say it: a job, a dataset, the settings of a form. */
export interface Subject {
  jobId?: string | null
  /** The training job whose result `jobId` worked on; the same where it is one itself. */
  trainedId?: string | null
  datasetId?: string | null
  onSettings?: (settings: Readonly<Record<string, unknown>>) => void
}

/** Says what everything inside is about; of nothing in particular without it. */
export const About = createContext<Subject>({})
