import { useMutation, useQuery } from "@tanstack/react-query"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { useDeferredValue, useState } from "react"
import { datasetQueries } from "@/api/datasets"
import { isEnded, jobQueries, startTraining } from "@/api/jobs"
import { modelQueries } from "@/api/models"
import { trainingQueries } from "@/api/training"
import { Page } from "@/components/layout/page"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"
import { Basics } from "./components/basics"
import { CommandDialog } from "./components/command-dialog"
import { PlanCard } from "./components/plan-card"
import { SettingsForm } from "./components/settings-form"
import { FIRST_WISH, missing, requestOf, type Wish, wishOf, withSetting } from "./wish"

/** Everything of a training job on one page, and beside it what it will do and need. */
export function NewJobPage() {
  const { from } = useSearch({ from: "/jobs/new" })
  const job = useQuery({ ...jobQueries.one(from ?? ""), enabled: from !== undefined })
  const first = job.data ? wishOf(job.data) : FIRST_WISH
  return <NewJob key={job.data?.id ?? "new"} first={first} />
}

function NewJob({ first }: { first: Wish }) {
  const t = useText()
  const navigate = useNavigate()
  const search = useSearch({ from: "/jobs/new" })
  const datasets = useQuery(datasetQueries.list())
  const models = useQuery(modelQueries.list())
  const [chosen, setChosen] = useState(first)
  const [isCommandOpen, setIsCommandOpen] = useState(false)
  const wish: Wish = {
    ...chosen,
    dataset: chosen.dataset ?? search.dataset ?? datasets.data?.items.find(({ ok }) => ok)?.id ?? null,
    base: chosen.base ?? search.base ?? models.data?.items[0]?.name ?? null,
  }
  const request = requestOf(wish)
  const plan = useQuery(trainingQueries.plan(useDeferredValue(request)))
  const start = useMutation({
    mutationFn: startTraining,
    onSuccess: ({ id }) => navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
  })
  const isBusy = useQuery(jobQueries.list()).data?.items.some((job) => !isEnded(job)) ?? false
  const lacking = missing(wish, plan.data)
  const change = (settings: Record<string, unknown>) =>
    setChosen((now) => Object.entries(settings).reduce((next, [name, value]) => withSetting(next, name, value), now))

  return (
    <Page title={t("web.new_job.title")} over={t("web.page.training")}>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_340px]">
        <div className="grid min-w-0 gap-4">
          <Basics
            wish={wish}
            onWish={(next) => setChosen((now) => ({ ...now, ...next }))}
            datasets={datasets}
            models={models}
          />
          <SettingsForm wish={wish} onWish={setChosen} plan={plan.data} />
        </div>
        <PlanCard plan={plan} onChange={change}>
          {start.isError ? <Failed error={start.error} /> : null}
          <Button
            look="main"
            isBusy={start.isPending}
            disabled={lacking !== null}
            onClick={() => request && start.mutate({ ...request, dataset_ids: [], shares: null })}
          >
            {lacking === null
              ? t(isBusy ? "web.new_job.queue" : "web.new_job.start")
              : t(`web.new_job.missing.${lacking}`)}
          </Button>
          <Button look="quiet" disabled={request === null} onClick={() => setIsCommandOpen(true)}>
            {t("web.command.show")}
          </Button>
        </PlanCard>
      </div>
      {request ? (
        <CommandDialog request={request} isOpen={isCommandOpen} onClose={() => setIsCommandOpen(false)} />
      ) : null}
    </Page>
  )
}
