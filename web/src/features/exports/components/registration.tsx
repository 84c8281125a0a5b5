import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { type Export, exportKeys } from "@/api/exports"
import { isEnded, type JobSummary, jobQueries } from "@/api/jobs"
import { ollamaKeys, ollamaQueries, registerExport, rollBack } from "@/api/ollama"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { CopyCommand } from "@/components/ui/copy"
import { Field, INPUT, TextField } from "@/components/ui/field"
import { Icon } from "@/components/ui/icon"
import { LongName } from "@/components/ui/long-name"
import { Progress } from "@/components/ui/progress"
import { StatusChip } from "@/components/ui/status-chip"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"
import { isOllamaName } from "../ollama"

type Measured = NonNullable<NonNullable<Export["ollama"]>["score"]>

const TAKEN = "ollama_name_taken"

/** The step into the Ollama of this machine: what was registered, what is being registered, and the form that does it. */
export function Registration({ export: made }: { export: Export }) {
  const t = useText()
  const server = useQuery(ollamaQueries.server())
  const work = useQuery(ollamaQueries.registration(made.id)).data ?? null
  const isAtWork = work !== null && !isEnded(work)
  return (
    <div className="grid gap-4">
      {made.ollama ? <Registered made={made} /> : null}
      {isAtWork ? <AtWork work={work} /> : null}
      <QueryView query={server}>
        {({ error, url, version }) =>
          error ? (
            <Failed error={error} onRetry={() => server.refetch()} />
          ) : (
            <>
              <p className="text-s text-ink-2">{t("web.ollama.server", { version: version ?? "–", url })}</p>
              {isAtWork ? null : <Form made={made} failed={work?.error ?? null} />}
            </>
          )
        }
      </QueryView>
    </div>
  )
}

function Form({ made, failed }: { made: Export; failed: JobSummary["error"] }) {
  const t = useText()
  const client = useQueryClient()
  const [name, setName] = useState(made.ollama?.name ?? made.ollama_name)
  const [system, setSystem] = useState("")
  const isFit = isOllamaName(name)
  const register = useMutation({
    mutationFn: (replace: boolean) =>
      registerExport({ job_id: made.id, name, system: system.trim() || null, replace, force: false }),
    onSettled: () => client.invalidateQueries({ queryKey: ollamaKeys.work }),
  })
  return (
    <>
      <TextField
        label={t("web.exports.ollama_name")}
        help={t("web.exports.ollama_name_help")}
        error={isFit ? undefined : t("web.exports.ollama_name_wrong")}
        value={name}
        onChange={(event) => setName(event.target.value.normalize("NFKC"))}
      />
      <Field
        label={t("web.ollama.system")}
        help={t("web.ollama.system_help")}
        control={(ids) => (
          <textarea
            {...ids}
            rows={2}
            className={INPUT}
            value={system}
            onChange={(event) => setSystem(event.target.value)}
          />
        )}
      />
      {failed && !register.isPending ? (
        <Failed error={failed}>
          {failed.code === TAKEN ? (
            <Button onClick={() => register.mutate(true)}>{t("web.ollama.replace", { name })}</Button>
          ) : null}
        </Failed>
      ) : null}
      {register.isError ? <Failed error={register.error} /> : null}
      <Button
        look="main"
        className="justify-self-start"
        disabled={!isFit}
        isBusy={register.isPending}
        onClick={() => register.mutate(false)}
      >
        {t(made.ollama ? "web.ollama.again" : "web.ollama.register")}
      </Button>
    </>
  )
}

function AtWork({ work }: { work: JobSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(work.id), initialData: work.progress })
  return (
    <div className="grid gap-1.5">
      <div className="flex items-center justify-between gap-3">
        <b>
          <LongName>{work.name}</LongName>
        </b>
        <StatusChip job={work} />
      </div>
      <Progress label={t("web.job.progress_of", { name: work.name })} percent={data.percent} isSlim />
      <p aria-live="polite" className="min-h-5 text-s text-ink-2">
        {data.message ?? t("web.exports.waits")}
      </p>
    </div>
  )
}

/** What the served model answered when the evaluation's questions, or those of the data, were put to it again. */
function Score({ score }: { score: Measured }) {
  const t = useText()
  const numbers = { served: score.num_served ?? 0, facts: score.num_facts ?? 0, file: score.num_file ?? 0 }
  const asked = score.source === "evaluation" ? "web.ollama.score" : "web.ollama.score_training"
  return <p className="text-s">{t(asked, { ...numbers, questions: score.num_questions })}</p>
}

/** The name under which the export is known in Ollama, what was checked of it there, and the way back. */
function Registered({ made: { id, ollama } }: { made: Export }) {
  const t = useText()
  const client = useQueryClient()
  const back = useMutation({
    mutationFn: rollBack,
    onSuccess: ({ name }) => {
      toast(t("web.ollama.rolled_back", { name }))
      client.invalidateQueries({ queryKey: exportKeys.one(id) })
    },
  })
  if (!ollama) return null
  return (
    <div className="grid gap-2">
      <p className={`flex items-center gap-1.5 font-semibold ${ollama.ok === false ? "text-bad" : "text-good"}`}>
        <Icon name={ollama.ok === false ? "warning" : "check"} />
        {t(ollama.ok === false ? "web.ollama.registered_failed" : "web.ollama.registered", { name: ollama.name })}
      </p>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-s">
        {ollama.checks.map(({ check, ok, text }) => (
          <li
            key={check}
            className={`inline-flex items-center gap-1 ${ok === false ? "text-bad" : ok ? "text-good" : "text-ink-2"}`}
          >
            <Icon name={ok === false ? "close" : ok ? "check" : "circle"} size={14} />
            {text}
          </li>
        ))}
      </ul>
      {ollama.score?.num_facts ? <Score score={ollama.score} /> : null}
      {ollama.not_measured ? (
        <p className="text-s text-ink-2">
          {t("web.ollama.not_measured", { types: ollama.not_measured.quantizations.join(", ") })}
        </p>
      ) : null}
      <CopyCommand label={t("web.exports.run")} command={`ollama run ${ollama.name}`} />
      {ollama.kept ? (
        <Button className="justify-self-start" isBusy={back.isPending} onClick={() => back.mutate(ollama.name)}>
          {t("web.ollama.roll_back")}
        </Button>
      ) : null}
      {back.isError ? <Failed error={back.error} /> : null}
    </div>
  )
}
