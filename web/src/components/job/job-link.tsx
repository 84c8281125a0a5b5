import { Link } from "@tanstack/react-router"

/** The name of a job, which leads to its page; `className` says how it takes its place. */
export function JobLink({ job, className = "" }: { job: { id: string; name: string }; className?: string }) {
  return (
    <Link
      to="/jobs/$jobId"
      params={{ jobId: job.id }}
      className={`font-semibold hover:text-accent hover:underline ${className}`}
    >
      {job.name}
    </Link>
  )
}
