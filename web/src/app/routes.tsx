import type { QueryClient } from "@tanstack/react-query"
import { createRootRouteWithContext, createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { Shell } from "@/components/layout/shell"
import { chatSearch } from "@/features/chat/search"
import { compareSearch } from "@/features/compare/search"
import { newExportSearch } from "@/features/exports/search"
import { jobSearch } from "@/features/jobs/tabs"
import { modelSearch } from "@/features/models/search"
import { newJobSearch } from "@/features/new-job/search"
import { CrashedPage, MissingPage } from "./lost-pages"

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Shell,
  errorComponent: CrashedPage,
  notFoundComponent: MissingPage,
})
const at = () => root

const dashboard = createRoute({
  getParentRoute: at,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/dashboard/dashboard-page"), "DashboardPage"),
})
const jobs = createRoute({
  getParentRoute: at,
  path: "/jobs",
  component: lazyRouteComponent(() => import("@/features/jobs/job-list-page"), "JobListPage"),
})
const job = createRoute({
  getParentRoute: at,
  path: "/jobs/$jobId",
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import("@/features/jobs/job-page"), "JobPage"),
})
const newJob = createRoute({
  getParentRoute: at,
  path: "/jobs/new",
  validateSearch: newJobSearch,
  component: lazyRouteComponent(() => import("@/features/new-job/new-job-page"), "NewJobPage"),
})
const datasets = createRoute({
  getParentRoute: at,
  path: "/datasets",
  component: lazyRouteComponent(() => import("@/features/datasets/dataset-list-page"), "DatasetListPage"),
})
const dataset = createRoute({
  getParentRoute: at,
  path: "/datasets/$datasetId",
  validateSearch: tabOf,
  component: lazyRouteComponent(() => import("@/features/datasets/dataset-page"), "DatasetPage"),
})

/** Returns the view of a page that its address asks for, if it does. */
function tabOf({ tab }: Record<string, unknown>): { tab?: string } {
  return typeof tab === "string" ? { tab } : {}
}
const system = createRoute({
  getParentRoute: at,
  path: "/system",
  component: lazyRouteComponent(() => import("@/features/system/system-page"), "SystemPage"),
})
const settings = createRoute({
  getParentRoute: at,
  path: "/settings",
  component: lazyRouteComponent(() => import("@/features/settings/settings-page"), "SettingsPage"),
})
const chat = createRoute({
  getParentRoute: at,
  path: "/chat",
  validateSearch: chatSearch,
  component: lazyRouteComponent(() => import("@/features/chat/chat-page"), "ChatPage"),
})
const models = createRoute({
  getParentRoute: at,
  path: "/models",
  validateSearch: modelSearch,
  component: lazyRouteComponent(() => import("@/features/models/models-page"), "ModelsPage"),
})
const exports = createRoute({
  getParentRoute: at,
  path: "/exports",
  component: lazyRouteComponent(() => import("@/features/exports/export-list-page"), "ExportListPage"),
})
const newExport = createRoute({
  getParentRoute: at,
  path: "/exports/new",
  validateSearch: newExportSearch,
  component: lazyRouteComponent(() => import("@/features/exports/new-export-page"), "NewExportPage"),
})
const oneExport = createRoute({
  getParentRoute: at,
  path: "/exports/$exportId",
  component: lazyRouteComponent(() => import("@/features/exports/export-page"), "ExportPage"),
})
const compare = createRoute({
  getParentRoute: at,
  path: "/compare",
  validateSearch: compareSearch,
  component: lazyRouteComponent(() => import("@/features/compare/compare-page"), "ComparePage"),
})
const tutorials = createRoute({
  getParentRoute: at,
  path: "/tutorials",
  component: lazyRouteComponent(() => import("@/features/tutorials/tutorial-list-page"), "TutorialListPage"),
})
const tutorial = createRoute({
  getParentRoute: at,
  path: "/tutorials/$level",
  component: lazyRouteComponent(() => import("@/features/tutorials/tutorial-page"), "TutorialPage"),
})

/** All pages, one line each. */
export const routes = root.addChildren([
  dashboard,
  jobs,
  job,
  newJob,
  datasets,
  dataset,
  system,
  settings,
  models,
  chat,
  exports,
  newExport,
  oneExport,
  compare,
  tutorials,
  tutorial,
  ...devRoutes(),
])

/** The sheet of all components, where the page is developed only. */
function devRoutes() {
  if (!import.meta.env.DEV) return []
  const component = lazyRouteComponent(() => import("./components-page"), "ComponentsPage")
  return [createRoute({ getParentRoute: at, path: "/_components", component })]
}
