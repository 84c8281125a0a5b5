import { useMutation, useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { exportQueries, startExport } from "@/api/exports"
import { type JobSummary, jobQueries } from "@/api/jobs"
import { modelQueries } from "@/api/models"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button, buttonClass } from "@/components/ui/button"
import { Checkbox, Select } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { formatTime } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { ConfirmCard } from "./components/confirm-card"
import { QuantizationList } from "./components/quantization-list"
import { firstChoice, isGguf } from "./quantizations"

/** What to make of a finished job: which job, which files, and beside it how much that will be. */
export function NewExportPage() {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  return (
    <Page
      title={t("web.exports.new")}
      over={
        <Link to="/exports" className="hover:text-accent">
          {t("web.page.exports")}
        </Link>
      }
    >
      <QueryView query={jobs} isOnDesk lines={8}>
        {({ items }) => <NewExport jobs={items.filter(({ status }) => status === "succeeded")} />}
      </QueryView>
    </Page>
  )
}

function NewExport({ jobs }: { jobs: readonly JobSummary[] }) {
  const t = useText()
  const { job: named } = useSearch({ from: "/exports/new" })
  const models = useQuery(modelQueries.list())
  const [chosen, setChosen] = useState<string | null>(null)
  const job = jobs.find(({ id }) => id === (chosen ?? named)) ?? jobs[0]
  if (!job)
    return (
      <Sheet>
        <Empty words={t("web.exports.no_job")}>
          <Link to="/jobs/new" className={buttonClass("main")}>
            {t("web.new_job.title")}
          </Link>
        </Empty>
      </Sheet>
    )
  return (
    <QueryView query={models} isOnDesk lines={8}>
      {({ items }) => (
        <Form
          key={job.id}
          job={job}
          jobs={jobs}
          model={items.find(({ name }) => name === job.base_model)}
          onJob={setChosen}
        />
      )}
    </QueryView>
  )
}

interface FormProps {
  job: JobSummary
  jobs: readonly JobSummary[]
  model: Parameters<typeof firstChoice>[0]
  onJob: (id: string) => void
}

function Form({ job, jobs, model, onJob }: FormProps) {
  const t = useText()
  const language = useLanguage()
  const navigate = useNavigate()
  const { quantization } = useSearch({ from: "/exports/new" })
  const [quantizations, setQuantizations] = useState(() => firstChoice(model, quantization))
  const [hasAdapter, setHasAdapter] = useState(false)
  const [keepsMerged, setKeepsMerged] = useState(false)
  const earlier = useQuery(exportQueries.list()).data?.items ?? []
  const sameBase = jobs.filter(({ base_model }) => base_model === job.base_model).map(({ id }) => id)
  const ofSameBase = earlier.filter(({ job_id }) => job_id !== null && sameBase.includes(job_id))
  const start = useMutation({
    mutationFn: startExport,
    onSuccess: ({ id }) => navigate({ to: "/exports/$exportId", params: { exportId: id } }),
  })
  const sizes = { model, ofSameBase }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_340px]">
      <div className="grid min-w-0 gap-4">
        <Sheet title={t("web.exports.subject")}>
          <Select
            label={t("web.exports.job")}
            help={t("web.exports.job_help")}
            value={job.id}
            onChange={(event) => onJob(event.target.value)}
          >
            {jobs.map(({ id, name, base_model, ended_at }) => (
              <option key={id} value={id}>
                {[name, base_model, ended_at ? formatTime(ended_at, language) : null]
                  .filter(Boolean)
                  .join(t("web.dot"))}
              </option>
            ))}
          </Select>
        </Sheet>
        <Sheet title={t("web.exports.kinds")}>
          <p className="mb-3 text-14 text-ink-2">{t("web.exports.kinds_words")}</p>
          <QuantizationList
            chosen={quantizations}
            onChosen={setQuantizations}
            isStitchable={isGguf(model)}
            sizes={sizes}
          />
        </Sheet>
        <Sheet title={t("web.exports.more")}>
          <div className="grid gap-3">
            <Checkbox
              label={t("web.exports.adapter")}
              help={t("web.exports.adapter_help")}
              checked={hasAdapter}
              onChange={(event) => setHasAdapter(event.target.checked)}
            />
            <Checkbox
              label={t("web.exports.merged")}
              help={t("web.exports.merged_help")}
              checked={keepsMerged}
              onChange={(event) => setKeepsMerged(event.target.checked)}
            />
          </div>
        </Sheet>
      </div>
      <ConfirmCard quantizations={quantizations} sizes={sizes}>
        {start.isError ? <Failed error={start.error} /> : null}
        <Button
          look="main"
          disabled={quantizations.length === 0}
          isBusy={start.isPending}
          onClick={() => start.mutate({ job_id: job.id, quantizations, adapter: hasAdapter, keep_merged: keepsMerged })}
        >
          {t(quantizations.length === 0 ? "web.exports.choose_kind" : "web.exports.start")}
        </Button>
      </ConfirmCard>
    </div>
  )
}
