import { useMutation, useQueryClient } from "@tanstack/react-query"
import { isActive, type JobSummary, jobKeys, reorderJob } from "@/api/jobs"
import { JobLine } from "@/components/job/job-line"
import { Empty } from "@/components/states/empty"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
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
      <ol>
        {jobs.map((job) => {
          const { up, down } = movesOf(waiting, job.id)
          const moves = (
            <span className="flex flex-none">
              <MoveButton isUp name={job.name} move={up} onMove={(to) => move.mutate({ id: job.id, ...to })} />
              <MoveButton name={job.name} move={down} onMove={(to) => move.mutate({ id: job.id, ...to })} />
            </span>
          )
          return <JobLine key={job.id} job={job} actions={isActive(job) || waiting.length < 2 ? null : moves} />
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
