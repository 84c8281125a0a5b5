import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { isActive, type JobSummary, jobKeys, jobQueries, reorderJob } from "@/api/jobs"
import { ProgressWords } from "@/components/job/job-line"
import { JobLink } from "@/components/job/job-link"
import { Empty } from "@/components/states/empty"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"
import { type Move, movesOf } from "../queue-order"

/** What is at work and what waits, in the order in which the queue takes it; waiting jobs are moved by one place. */
export function QueueSheet({ jobs }: { jobs: readonly JobSummary[] }) {
  const t = useText()
  const client = useQueryClient()
  const move = useMutation({
    mutationFn: ({ id, before }: Move & { id: string }) => reorderJob(id, before),
    onSettled: () => client.invalidateQueries({ queryKey: jobKeys.lists }),
    onError: (error) => toastError(error, t),
  })
  const waiting = jobs.filter((job) => !isActive(job))
  return (
    <Sheet title={t("web.jobs.queue")}>
      {jobs.length === 0 ? <Empty words={t("web.jobs.idle")} /> : null}
      <ol className="divide-y">
        {jobs.map((job) => {
          const { up, down } = movesOf(waiting, job.id)
          return (
            <li key={job.id} className="flex items-center gap-3 py-2.5 first:pt-0 last:pb-0">
              <Line job={job} />
              {isActive(job) || waiting.length < 2 ? null : (
                <span className="flex flex-none">
                  <MoveButton isUp name={job.name} move={up} onMove={(to) => move.mutate({ id: job.id, ...to })} />
                  <MoveButton name={job.name} move={down} onMove={(to) => move.mutate({ id: job.id, ...to })} />
                </span>
              )}
            </li>
          )
        })}
      </ol>
    </Sheet>
  )
}

function MoveButton({
  name,
  move,
  onMove,
  isUp = false,
}: {
  name: string
  move: Move | null
  onMove: (move: Move) => void
  isUp?: boolean
}) {
  const t = useText()
  return (
    <Button
      look="quiet"
      className="px-2"
      disabled={move === null}
      aria-label={t(isUp ? "web.jobs.up" : "web.jobs.down", { name })}
      onClick={() => move && onMove(move)}
    >
      <span className={isUp ? "rotate-180" : ""}>
        <Icon name="down" />
      </span>
    </Button>
  )
}

function Line({ job }: { job: JobSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress, enabled: isActive(job) })
  return (
    <div className="grid min-w-0 flex-1 gap-1">
      <div className="flex items-center justify-between gap-3">
        <JobLink job={job} className="min-w-0 truncate" />
        <StatusChip job={job} />
      </div>
      {isActive(job) ? (
        <>
          <Progress label={t("web.job.progress_of", { name: job.name })} percent={data.percent} isSlim />
          <p className="text-s text-ink-2">
            <ProgressWords progress={data} />
          </p>
        </>
      ) : (
        <p className="text-s text-ink-2">{[job.base_model, job.progress.message].filter(Boolean).join(t("web.dot"))}</p>
      )}
    </div>
  )
}
