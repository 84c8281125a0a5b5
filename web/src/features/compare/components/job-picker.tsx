import { useNavigate } from "@tanstack/react-router"
import type { JobSummary } from "@/api/jobs"
import { JobLink } from "@/components/job/job-link"
import { Button } from "@/components/ui/button"
import { Select } from "@/components/ui/field"
import { Icon } from "@/components/ui/icon"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { FEWEST_JOBS, MOST_JOBS, searchOf } from "../search"
import { Letter } from "./letter"

/** The jobs that are compared, and those that can be; what is chosen stands in the address, so that it can be shared. */
export function JobPicker({ jobs, ids }: { jobs: readonly JobSummary[]; ids: readonly string[] }) {
  const t = useText()
  const navigate = useNavigate()
  const show = (next: readonly string[]) => navigate({ to: "/compare", search: searchOf(next), replace: true })
  const others = jobs.filter(({ id, status }) => status === "succeeded" && !ids.includes(id))
  return (
    <Sheet title={t("web.compare.jobs")}>
      <ol className="grid grid-cols-1 gap-1">
        {ids.map((id, position) => {
          const name = jobs.find((job) => job.id === id)?.name ?? id
          return (
            <li key={id} className="flex items-center gap-2.5">
              <Letter position={position} />
              <JobLink job={{ id, name }} className="min-w-0 flex-1" />
              {position > 0 ? (
                <Button look="quiet" onClick={() => show([id, ...ids.filter((other) => other !== id)])}>
                  {t("web.compare.first")}
                </Button>
              ) : null}
              <Button
                look="quiet"
                className="px-2"
                aria-label={t("web.compare.remove", { name })}
                onClick={() => show(ids.filter((other) => other !== id))}
              >
                <Icon name="close" size={16} />
              </Button>
            </li>
          )
        })}
      </ol>
      {ids.length < MOST_JOBS && others.length > 0 ? (
        <div className={`md:max-w-120 ${ids.length > 0 ? "mt-3" : ""}`}>
          <Select
            label={t("web.compare.add")}
            help={t(ids.length < FEWEST_JOBS ? "web.compare.choose_two" : "web.compare.add_help")}
            value=""
            onChange={(event) => show([...ids, event.target.value])}
          >
            <option value="" disabled>
              {t("web.compare.choose")}
            </option>
            {others.map(({ id, name, base_model }) => (
              <option key={id} value={id}>
                {[name, base_model].filter(Boolean).join(t("web.dot"))}
              </option>
            ))}
          </Select>
        </div>
      ) : null}
    </Sheet>
  )
}
