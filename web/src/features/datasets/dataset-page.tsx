import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router"
import { type Dataset, datasetKeys, datasetQueries, deleteDataset, undoDeleteDataset } from "@/api/datasets"
import { Page } from "@/components/layout/page"
import { About } from "@/components/next/subject"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { Button, buttonClass } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { TabLinks } from "@/components/ui/tabs"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"
import { CheckTab } from "./components/check-tab"
import { DoubtsPanel } from "./components/doubts-panel"
import { PreviewTab } from "./components/preview-tab"
import { RowsTab } from "./components/rows-tab"
import { SplitTab } from "./components/split-tab"
import { StatsTab } from "./components/stats-tab"
import { useTypeName } from "./components/type-name"
import { UsersTab } from "./components/users-tab"

const route = getRouteApi("/datasets/$datasetId")

/** One dataset: its rows, how they are trained on, what is wrong with them, numbers, and who reads it. */
export function DatasetPage() {
  const t = useText()
  const { datasetId } = route.useParams()
  const dataset = useQuery(datasetQueries.one(datasetId))
  const data = dataset.data
  return (
    <About value={{ datasetId }}>
      <Page
        title={data?.name ?? t("web.jobs.dataset")}
        over={
          <Link to="/datasets" className="hover:text-accent">
            {t("web.page.datasets")}
          </Link>
        }
        under={data ? <Origin dataset={data} /> : null}
        actions={data ? <Action dataset={data} /> : null}
        more={data ? <MoreActions dataset={data} /> : null}
      >
        <QueryView query={dataset} isOnDesk lines={8}>
          {(found) => <DatasetView key={found.id} dataset={found} />}
        </QueryView>
      </Page>
    </About>
  )
}

function Origin({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const typeName = useTypeName()
  const words = [
    typeName(dataset.type),
    t("web.datasets.examples", { count: dataset.num_examples }),
    dataset.encoding?.toUpperCase() ?? "",
    dataset.description,
  ]
  return <Dotted words={words} />
}

function DatasetView({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const { tab = "rows" } = route.useSearch()
  return (
    <>
      <DoubtsPanel dataset={dataset} />
      <TabLinks
        label={t("web.dataset.views")}
        current={tab}
        tabs={[
          { value: "rows", name: t("web.dataset.rows") },
          { value: "preview", name: t("web.dataset.preview") },
          { value: "check", name: t("web.dataset.check"), count: dataset.problems.length },
          { value: "stats", name: t("web.dataset.stats") },
          { value: "split", name: t("web.dataset.split") },
          { value: "users", name: t("web.dataset.users") },
        ]}
      />
      {tab === "rows" ? <RowsTab dataset={dataset} /> : null}
      {tab === "preview" ? <PreviewTab dataset={dataset} /> : null}
      {tab === "check" ? <CheckTab dataset={dataset} /> : null}
      {tab === "stats" ? <StatsTab dataset={dataset} /> : null}
      {tab === "split" ? <SplitTab dataset={dataset} /> : null}
      {tab === "users" ? <UsersTab dataset={dataset} /> : null}
    </>
  )
}

/** The next step: train on what is right, look at what is wrong. */
function Action({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const { tab } = route.useSearch()
  if (dataset.ok)
    return (
      <Link to="/jobs/new" search={{ dataset: dataset.id }} className={buttonClass("main")}>
        {t("web.dataset.train")}
      </Link>
    )
  if (tab === "check") return null
  return (
    <Link to="." search={{ tab: "check" }} className={buttonClass("main")}>
      {t("web.dataset.see_problems")}
    </Link>
  )
}

function MoreActions({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const refresh = () => client.invalidateQueries({ queryKey: datasetKeys.list })
  const undo = useMutation({
    mutationFn: undoDeleteDataset,
    onSuccess: refresh,
    onError: (error) => toastError(error, t),
  })
  const remove = useMutation({
    mutationFn: deleteDataset,
    onSuccess: () => {
      refresh()
      navigate({ to: "/datasets" })
      toast(t("web.dataset.deleted", { name: dataset.name }), { undo: () => undo.mutate(dataset.id) })
    },
    onError: (error) => toastError(error, t),
  })
  return (
    <>
      <a href={`/api/datasets/${dataset.id}/export?format=jsonl`} download className={buttonClass()}>
        {t("web.dataset.export")}
      </a>
      <Button look="quiet" isBusy={remove.isPending} onClick={() => remove.mutate(dataset.id)}>
        {t("web.delete")}
      </Button>
    </>
  )
}
