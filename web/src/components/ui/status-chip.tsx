import { type JobStatus, statusOf } from "@/api/jobs"
import { useText } from "@/lib/text"

type Tone = "run" | "good" | "warn" | "bad" | "plain"

const TONES: Record<JobStatus, Tone> = {
  queued: "plain",
  preparing: "run",
  running: "run",
  paused: "plain",
  interrupted: "warn",
  succeeded: "good",
  failed: "bad",
  canceled: "plain",
}
const CHIP: Record<Tone, string> = {
  run: "border-transparent bg-accent-soft text-accent",
  good: "border-transparent bg-good-soft text-good",
  warn: "border-transparent bg-warn-soft text-warn",
  bad: "border-transparent bg-bad-soft text-bad",
  plain: "bg-sheet text-ink-2",
}
const SHAPE: Record<Tone, string> = {
  run: "rounded-full bg-current",
  good: "rounded-full bg-current",
  warn: "bg-current [clip-path:polygon(50%_0,100%_100%,0_100%)]",
  bad: "bg-current [clip-path:polygon(50%_0,100%_50%,50%_100%,0_50%)]",
  plain: "rounded-[2px] bg-ink-3",
}

/** A short word in a pill, with a shape and a colour for its tone. */
export function Chip({ tone = "plain", children }: { tone?: Tone; children: React.ReactNode }) {
  return (
    <span
      className={`inline-flex max-w-full items-center gap-1.5 whitespace-nowrap rounded-full border px-2.5 py-0.5 text-s ${CHIP[tone]}`}
    >
      <i className={`size-2 flex-none ${SHAPE[tone]}`} />
      {children}
    </span>
  )
}

/** The status of a job: one of eight words, the same everywhere. */
export function StatusChip({ job }: { job: { status: string; kind?: string } }) {
  const t = useText()
  const status = statusOf(job)
  const isTraining = status === "running" && job.kind === "train"
  return <Chip tone={TONES[status]}>{isTraining ? t("web.status.training") : t(`web.status.${status}`)}</Chip>
}
