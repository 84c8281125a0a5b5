import { useQuery } from "@tanstack/react-query"
import { type Finding, type Job, jobQueries } from "@/api/jobs"
import { NextStep } from "@/components/next/next-step"
import { About } from "@/components/next/subject"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { splitFindings } from "../findings"

/** Everything that the numbers of a job say, the gravest first; the error that ended it stands above all. */
export function Diagnosis({ job }: { job: Job }) {
  const t = useText()
  const findings = useQuery(jobQueries.diagnosis(job.id))
  return (
    <Sheet title={t("web.job.tab.diagnosis")}>
      <QueryView
        query={findings}
        isEmpty={({ items }) => splitFindings(items, job.error).others.length === 0}
        empty={<Empty words={t(job.error ? "web.diagnosis.failed" : "web.diagnosis.healthy")} />}
      >
        {({ items }) => (
          <div className="grid gap-5">
            {splitFindings(items, job.error).others.map((finding) => (
              <FindingNote key={`${finding.code} ${finding.step}`} finding={finding} job={job} />
            ))}
          </div>
        )}
      </QueryView>
    </Sheet>
  )
}

const TONES = { error: "text-bad", warning: "text-warn", finding: "text-ink" } as const

/** One finding: what is seen and why, what to do, and a button that does it; the one to the evaluation stands above all. */
export function FindingNote({ finding, job }: { finding: Finding; job: Job }) {
  return (
    <div className="grid grid-cols-1 justify-items-start gap-2">
      <p className={`whitespace-pre-line text-14 ${TONES[finding.type]}`}>{finding.text}</p>
      {finding.advice ? <p className="whitespace-pre-line text-s text-ink-2">{finding.advice}</p> : null}
      {finding.action?.name === "evaluate" ? null : (
        <About value={{ jobId: job.id }}>
          <NextStep action={finding.action} />
        </About>
      )}
    </div>
  )
}
