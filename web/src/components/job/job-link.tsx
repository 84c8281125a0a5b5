import { Link } from "@tanstack/react-router"
import { LongName } from "@/components/ui/long-name"

/** The name of a job, which leads to its page; `className` says how it takes its place. */
export function JobLink({ job, className = "" }: { job: { id: string; name: string }; className?: string }) {
  return (
    <Link
      to="/jobs/$jobId"
      params={{ jobId: job.id }}
      className={`font-semibold hover:text-accent hover:underline ${className}`}
    >
      <LongName>{job.name}</LongName>
    </Link>
  )
}
