import { useMutation, useQuery } from "@tanstack/react-query"
import { Link, useNavigate, useSearch } from "@tanstack/react-router"
import { useDeferredValue, useState } from "react"
import { datasetQueries } from "@/api/datasets"
import { isEnded, jobQueries, startTraining, startTrainings } from "@/api/jobs"
import { modelQueries } from "@/api/models"
import { type PlanRequest, type RecipeWish, trainingQueries } from "@/api/training"
import { Page } from "@/components/layout/page"
import { About } from "@/components/next/subject"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Segmented } from "@/components/ui/segmented"
import { toast } from "@/components/ui/toast"
import { type TextKey, type Translate, useText } from "@/lib/text"
import { useUi } from "@/lib/ui"
import { Basics } from "./components/basics"
import { Candidates, MOST_CANDIDATES, named } from "./components/candidates"
import { CommandDialog } from "./components/command-dialog"
import { PlanBar, PlanCard } from "./components/plan-card"
import { RecipeDialog } from "./components/recipe-dialog"
import { SaveRecipe } from "./components/save-recipe"
import { SettingsForm } from "./components/settings-form"
import {
  FIRST_WISH,
  type Lack,
  missing,
  requestOf,
  startOf,
  type Wish,
  wishOf,
  wishOfRecipe,
  withSetting,
} from "./wish"

/** Everything of a training job on one page, and beside it what it will do and need. */
export function NewJobPage() {
  const { from } = useSearch({ from: "/jobs/new" })
  const job = useQuery({ ...jobQueries.one(from ?? ""), enabled: from !== undefined })
  const first = job.data ? wishOf(job.data) : FIRST_WISH
  return <NewJob key={job.data?.id ?? "new"} first={first} />
}

function NewJob({ first }: { first: Wish }) {
  const t = useText()
  const [chosen, setChosen] = useState(first)
  const [recipe, setRecipe] = useState<RecipeWish | null>(null)
  const [open, setOpen] = useState<"command" | "recipe" | null>(null)
  const wish = useDefaults(chosen, recipe === null)
  const request = requestOf(wish)
  const plan = useQuery(trainingQueries.plan(useDeferredValue(request)))
  const lack = missing(wish, plan.data)
  const lackWords = lack && wordsOf(lack, t)
  const change = (settings: Record<string, unknown>) =>
    setChosen((now) => Object.entries(settings).reduce((next, [name, value]) => withSetting(next, name, value), now))
  const take = (found: RecipeWish) => {
    setRecipe(found)
    setChosen((now) => wishOfRecipe(found, now.name))
  }
  return (
    <Page
      title={t("web.new_job.title")}
      over={
        <Link to="/jobs" className="hover:text-accent">
          {t("web.page.training")}
        </Link>
      }
      actions={<Detail />}
      more={
        <>
          <Button onClick={() => setOpen("recipe")}>{t("web.recipe.load")}</Button>
          <SaveRecipe request={request} />
        </>
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_340px]">
        <div className="grid min-w-0 gap-4 max-lg:contents">
          {recipe ? <RecipeNote recipe={recipe} /> : null}
          <Basics wish={wish} onWish={(next) => setChosen((now) => ({ ...now, ...next }))} />
          <SettingsForm wish={wish} onWish={setChosen} plan={plan.data} />
        </div>
        <PlanBar plan={plan.data} lack={lackWords} />
        <About value={{ datasetId: wish.dataset, onSettings: change }}>
          <PlanCard plan={plan} onChange={change}>
            <Start request={request} lack={lackWords} name={wish.name} />
            <Button look="quiet" disabled={request === null} onClick={() => setOpen("command")}>
              {t("web.command.show")}
            </Button>
          </PlanCard>
        </About>
      </div>
      {request ? <CommandDialog request={request} isOpen={open === "command"} onClose={() => setOpen(null)} /> : null}
      <RecipeDialog isOpen={open === "recipe"} onClose={() => setOpen(null)} onRead={take} />
    </Page>
  )
}

/** Returns a wish with data and model where none is chosen: those of the address, else the first good ones. */
function useDefaults(chosen: Wish, hasDefaults: boolean): Wish {
  const search = useSearch({ from: "/jobs/new" })
  const datasets = useQuery(datasetQueries.list())
  const models = useQuery(modelQueries.list())
  if (!hasDefaults) return chosen
  return {
    ...chosen,
    dataset: chosen.dataset ?? search.dataset ?? datasets.data?.items.find(({ ok }) => ok)?.id ?? null,
    base: chosen.base ?? search.base ?? models.data?.items.find(({ can_train }) => can_train)?.name ?? null,
  }
}

/** The choice between presets alone and every setting. */
function Detail() {
  const t = useText()
  const isSimple = useUi((state) => state.isSimple)
  const setIsSimple = useUi((state) => state.setIsSimple)
  return (
    <Segmented
      label={t("web.new_job.detail")}
      value={isSimple ? "simple" : "all"}
      onValue={(value) => setIsSimple(value === "simple")}
      options={[
        { value: "simple", name: t("web.new_job.simple") },
        { value: "all", name: t("web.new_job.all") },
      ]}
    />
  )
}

/** What became of a recipe: how much of it differs from what is recommended, and what of it is not here. */
function RecipeNote({ recipe: { settings, missing: gone } }: { recipe: RecipeWish }) {
  const t = useText()
  return (
    <div role="status" className="grid gap-1 border-l-3 border-accent py-1 pl-3 text-14">
      <p>{t("web.recipe.read", { count: Object.keys(settings).length })}</p>
      {Object.entries(gone).map(([key, name]) => (
        <p key={key} className="text-warn">
          {t(key === "base_model" ? "web.recipe.no_model" : "web.recipe.no_data", { name })}
        </p>
      ))}
    </div>
  )
}

/** Starts the job, or collects several candidates and queues them together. */
function Start({ request, lack, name }: { request: PlanRequest | null; lack: string | null; name: string }) {
  const t = useText()
  const navigate = useNavigate()
  const [candidates, setCandidates] = useState<readonly PlanRequest[]>([])
  const isBusy = useQuery(jobQueries.list()).data?.items.some((job) => !isEnded(job)) ?? false
  const datasets = useQuery(datasetQueries.list()).data?.items ?? []
  const one = useMutation({
    mutationFn: startTraining,
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
  })
  const many = useMutation({
    mutationFn: startTrainings,
    onSuccess: ({ items }) => {
      toast(t("web.candidates.started", { count: items.length }))
      navigate({ to: "/jobs" })
    },
  })
  const add = () => request && setCandidates((now) => [...now, request])
  const start = () => {
    if (candidates.length === 0) return request && one.mutate(startOf(request))
    const own = datasets.find(({ id }) => id === request?.dataset_id)?.name ?? ""
    many.mutate(named(candidates, name.trim() || own).map(startOf))
  }
  const error = one.error ?? many.error
  const words =
    candidates.length > 0
      ? t("web.candidates.start", { count: candidates.length })
      : (lack ?? t(isBusy ? "web.new_job.queue" : "web.new_job.start"))
  return (
    <>
      <Candidates
        candidates={candidates}
        onRemove={(at) => setCandidates((now) => now.filter((_, index) => index !== at))}
      />
      {error ? <Failed error={error} /> : null}
      <Button
        look="main"
        isBusy={one.isPending || many.isPending}
        disabled={candidates.length === 0 && lack !== null}
        onClick={start}
      >
        {words}
      </Button>
      <Button disabled={lack !== null || candidates.length >= MOST_CANDIDATES} onClick={add}>
        {t("web.candidates.add")}
      </Button>
      <p className="text-xs text-ink-3">{t("web.candidates.help")}</p>
    </>
  )
}

function wordsOf(lack: Lack, t: Translate): string {
  return lack.kind === "value"
    ? t("web.new_job.missing.value", { name: t(`web.field.${lack.field}` as TextKey) })
    : t(`web.new_job.missing.${lack.kind}`)
}
