import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate } from "@tanstack/react-router"
import { useContext } from "react"
import type { Action } from "@/api/error"
import { changeJob, cloneJob, type JobAction, jobKeys, jobQueries } from "@/api/jobs"
import { Button, buttonClass, LONG_WORDS } from "@/components/ui/button"
import { toast } from "@/components/ui/toast"
import { settingWords } from "@/lib/setting-words"
import { type TextKey, useText } from "@/lib/text"
import { REPAIRS, useRepair } from "./repair"
import { useSayError } from "./say-error"
import { About } from "./subject"

type JobStep = "cancel_job" | "resume_job" | "retry_job"
const JOB_STEPS: Record<JobStep, { action: JobAction; name: TextKey; done: TextKey }> = {
  cancel_job: { action: "cancel", name: "web.next.cancel", done: "web.next.canceled" },
  resume_job: { action: "resume", name: "web.next.resume", done: "web.next.queued" },
  retry_job: { action: "retry", name: "web.next.retry", done: "web.next.queued" },
}

/** The button that takes the next step of an error or a finding; none where this page has nothing to take it with. */
export function NextStep({ action }: { action: Action | null | undefined }) {
  const t = useText()
  const { jobId = null, trainedId = jobId, datasetId = null, onSettings } = useContext(About)
  if (!action) return null
  const { name, values } = action
  if (name === "repair_dataset") return datasetId && <Repair datasetId={datasetId} actions={strings(values.actions)} />
  if (name === "change_settings") {
    if (!onSettings) return trainedId && <Clone jobId={trainedId} settings={values} />
    return (
      <Button className={LONG_WORDS} onClick={() => onSettings(values)}>
        {t("web.plan.apply", { settings: settingWords(values, t) })}
      </Button>
    )
  }
  if (name === "evaluate") return trainedId && <ToEvaluation jobId={trainedId} />
  if (name === "export")
    return trainedId && <ToExport jobId={trainedId} quantization={strings(values.quantizations)[0]} />
  const id = typeof values.job_id === "string" ? values.job_id : jobId
  return id && <ChangeJob jobId={id} step={name} />
}

/** Returns the texts of a list that came as JSON. */
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : []
}

function Repair({ datasetId, actions }: { datasetId: string; actions: readonly string[] }) {
  const t = useText()
  const repair = useRepair(datasetId)
  const sayError = useSayError()
  const names = actions.flatMap((action) => REPAIRS[action] ?? [])
  if (names.length === 0) return null
  return (
    <Button isBusy={repair.isPending} onClick={() => repair.mutate({ actions: [...actions] }, { onError: sayError })}>
      {names.map((name) => t(name)).join(t("web.dot"))}
    </Button>
  )
}

function Clone({ jobId, settings }: { jobId: string; settings: Record<string, unknown> }) {
  const t = useText()
  const navigate = useNavigate()
  const clone = useMutation({
    mutationFn: () => cloneJob(jobId, settings),
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
    onError: useSayError(),
  })
  const words = settingWords(settings, t)
  return (
    <Button className={LONG_WORDS} isBusy={clone.isPending} onClick={() => clone.mutate()}>
      {words ? t("web.diagnosis.clone", { settings: words }) : t("web.diagnosis.clone_same")}
    </Button>
  )
}

function ToEvaluation({ jobId }: { jobId: string }) {
  const t = useText()
  const isEvaluated = Boolean(useQuery(jobQueries.one(jobId)).data?.learned)
  return (
    <Link to="/jobs/$jobId" params={{ jobId }} search={{ tab: "evaluation" }} className={buttonClass()}>
      {t(isEvaluated ? "web.outcome.see_evaluation" : "web.outcome.evaluate")}
    </Link>
  )
}

function ToExport({ jobId, quantization }: { jobId: string; quantization?: string }) {
  const t = useText()
  return (
    <Link to="/exports/new" search={{ job: jobId, quantization }} className={buttonClass()}>
      {quantization ? t("web.exports.export_as", { name: quantization }) : t("web.exports.export_again")}
    </Link>
  )
}

function ChangeJob({ jobId, step }: { jobId: string; step: JobStep }) {
  const t = useText()
  const client = useQueryClient()
  const { action, name, done } = JOB_STEPS[step]
  const change = useMutation({
    mutationFn: () => changeJob(jobId, action),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: jobKeys.all })
      toast(t(done))
    },
    onError: useSayError(),
  })
  return (
    <Button isBusy={change.isPending} disabled={change.isSuccess} onClick={() => change.mutate()}>
      {t(name)}
    </Button>
  )
}
