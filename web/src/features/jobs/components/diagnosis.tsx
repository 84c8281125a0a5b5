import { useMutation, useQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { cloneJob, type Finding, type Job, jobQueries } from "@/api/jobs"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** Everything that the numbers of a job say, the gravest first. */
export function Diagnosis({ job }: { job: Job }) {
  const t = useText()
  const findings = useQuery(jobQueries.diagnosis(job.id))
  return (
    <Sheet title={t("web.job.tab.diagnosis")}>
      <QueryView
        query={findings}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty words={t("web.diagnosis.healthy")} />}
      >
        {({ items }) => (
          <div className="grid gap-5">
            {items.map((finding) => (
              <FindingNote key={`${finding.code} ${finding.step}`} finding={finding} job={job} />
            ))}
          </div>
        )}
      </QueryView>
    </Sheet>
  )
}

const TONES = { error: "text-bad", warning: "text-warn", finding: "text-ink" } as const

/** One finding: what is seen and why, what to do, and a button that does it. */
export function FindingNote({ finding, job }: { finding: Finding; job: Job }) {
  const t = useText()
  const navigate = useNavigate()
  const clone = useMutation({
    mutationFn: (settings: Record<string, unknown>) => cloneJob(job.id, settings),
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
  })
  const { settings } = finding
  return (
    <div className="grid gap-2">
      <p className={`whitespace-pre-line text-14 ${TONES[finding.type]}`}>{finding.text}</p>
      {finding.advice ? <p className="whitespace-pre-line text-s text-ink-2">{finding.advice}</p> : null}
      {settings ? (
        <Button className="justify-self-start" isBusy={clone.isPending} onClick={() => clone.mutate(settings)}>
          {t("web.diagnosis.clone", { settings: settingWords(settings) })}
        </Button>
      ) : null}
      {clone.isError ? <Failed error={clone.error} /> : null}
    </div>
  )
}

function settingWords(settings: Record<string, unknown>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ")
}
