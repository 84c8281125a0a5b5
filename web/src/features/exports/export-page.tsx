import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useNavigate, useParams } from "@tanstack/react-router"
import { type Export, exportKeys, exportQueries, fileAddress, verifyExport } from "@/api/exports"
import { changeJob, isEnded, type JobAction, jobQueries } from "@/api/jobs"
import { PassportSheet } from "@/components/job/passport-sheet"
import { Page } from "@/components/layout/page"
import { About } from "@/components/next/subject"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { Button, buttonClass } from "@/components/ui/button"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { toast } from "@/components/ui/toast"
import { formatTime } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { AtWork } from "./components/at-work"
import { Certificate } from "./components/certificate"
import { FileTable } from "./components/file-table"
import { UseIt } from "./components/use-it"
import { worthOf } from "./worth"

/** One export: how far it is, or its files with what was proved of each, and how they are used. */
export function ExportPage() {
  const t = useText()
  const { exportId } = useParams({ from: "/exports/$exportId" })
  const found = useQuery(exportQueries.one(exportId))
  const made = found.data
  return (
    <Page
      title={made?.name ?? t("web.exports.title")}
      over={
        <Link to="/exports" className="hover:text-accent">
          {t("web.page.exports")}
        </Link>
      }
      under={made ? <Origin made={made} /> : null}
      actions={made ? <Action made={made} /> : null}
      more={made && isEnded(made) ? <MoreActions made={made} /> : null}
    >
      <QueryView query={found} isOnDesk lines={8}>
        {(data) => <View made={data} />}
      </QueryView>
    </Page>
  )
}

function Origin({ made }: { made: Export }) {
  const t = useText()
  const language = useLanguage()
  const job = useQuery({ ...jobQueries.one(made.job_id ?? ""), enabled: made.job_id !== null }).data
  return (
    <>
      {job ? (
        <>
          <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="text-accent underline underline-offset-3">
            {t("web.exports.of_job", { name: job.name })}
          </Link>
          {t("web.dot")}
          <LongName>{job.base_model ?? ""}</LongName>
          {t("web.dot")}
        </>
      ) : null}
      <span className="whitespace-nowrap">{formatTime(made.created_at, language)}</span>
    </>
  )
}

function View({ made }: { made: Export }) {
  const t = useText()
  if (!isEnded(made)) return <AtWork export={made} />
  const used = made.files.find(({ file, verdict }) => file === made.model_file && verdict === "verified")
  return (
    <div className="grid gap-4">
      {made.error ? (
        <Sheet>
          <About value={{ jobId: made.id, trainedId: made.job_id }}>
            <Failed error={made.error} />
          </About>
        </Sheet>
      ) : null}
      {made.files.length > 0 ? (
        <Sheet title={t("web.exports.files")}>
          <Headline made={made} />
          <FileTable export={made} />
          <p className="mt-3 text-s text-ink-2">{t("web.exports.kl_help")}</p>
        </Sheet>
      ) : null}
      {made.files.length === 0 && !made.error ? (
        <Sheet>
          <p className="text-14 text-ink-2">{t("web.exports.no_files")}</p>
        </Sheet>
      ) : null}
      <div className={`grid items-start gap-4 ${used ? "lg:grid-cols-2" : ""}`}>
        <Certificate export={made} />
        {used ? <UseIt export={made} file={used.file} /> : null}
      </div>
      {made.status === "succeeded" ? <PassportSheet id={made.id} hasOne addressOf={fileAddress} /> : null}
    </div>
  )
}

/** What all the verdicts come to, in one sentence. */
function Headline({ made }: { made: Export }) {
  const t = useText()
  const worth = worthOf(made)
  const tone = { verified: "text-good", lossy: "text-warn", failed: "text-bad", none: "text-ink-2" }[worth.kind]
  return <p className={`mb-3 text-l font-semibold ${tone}`}>{t(`web.exports.headline.${worth.kind}`, worth)}</p>
}

/** Changes an export and says what went wrong; a deleted one is left, and can be had back. */
function useChange(made: Export) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const change = useMutation({
    mutationFn: (action: JobAction) => changeJob(made.id, action),
    onSuccess: (_, action) => {
      client.invalidateQueries({ queryKey: exportKeys.all })
      if (action !== "delete") return
      toast(t("web.job.deleted", { name: made.name }), { undo: () => change.mutate("undo-delete") })
      navigate({ to: "/exports" })
    },
    onError: (error) => toastError(error, t),
  })
  return change
}

function Action({ made }: { made: Export }) {
  const t = useText()
  const change = useChange(made)
  if (!isEnded(made))
    return (
      <Button isBusy={change.isPending || made.stop_request !== null} onClick={() => change.mutate("cancel")}>
        {t("web.job.action.cancel")}
      </Button>
    )
  if (!made.job_id) return null
  return (
    <Link to="/exports/new" search={{ job: made.job_id }} className={buttonClass()}>
      {t("web.exports.another")}
    </Link>
  )
}

function MoreActions({ made }: { made: Export }) {
  const t = useText()
  const change = useChange(made)
  const verify = useMutation({
    mutationFn: () => verifyExport(made.id),
    onSuccess: () => toast(t("web.exports.verifying")),
    onError: (error) => toastError(error, t),
  })
  return (
    <>
      {made.status === "succeeded" ? (
        <Button isBusy={verify.isPending} onClick={() => verify.mutate()}>
          {t("web.exports.verify")}
        </Button>
      ) : null}
      {made.status === "succeeded" || made.obstacle ? null : (
        <Button isBusy={change.isPending} onClick={() => change.mutate("retry")}>
          {t("web.job.action.retry")}
        </Button>
      )}
      <Button look="quiet" isBusy={change.isPending} onClick={() => change.mutate("delete")}>
        {t("web.job.action.delete")}
      </Button>
    </>
  )
}
