import { useSearch } from "@tanstack/react-router"
import { useState } from "react"
import { Page } from "@/components/layout/page"
import { INPUT } from "@/components/ui/field"
import { TabLinks } from "@/components/ui/tabs"
import { useText } from "@/lib/text"
import { AdapterList } from "./components/adapter-list"
import { BaseModelList } from "./components/base-model-list"
import { Downloads } from "./components/downloads"
import { ExportList } from "./components/export-list"
import { StartingPoints } from "./components/starting-points"

/** What can be trained, wherever it comes from, and what was trained. */
export function ModelsPage() {
  const t = useText()
  const { tab = "base" } = useSearch({ from: "/models" })
  const [search, setSearch] = useState("")
  return (
    <Page
      title={t("web.page.models")}
      actions={
        <input
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          aria-label={t("web.models.search")}
          placeholder={t("web.models.search")}
          className={`${INPUT} md:w-80`}
        />
      }
    >
      <TabLinks
        label={t("web.models.tabs")}
        current={tab}
        tabs={[
          { value: "base", name: t("web.models.tab.base") },
          { value: "adapters", name: t("web.models.tab.adapters") },
          { value: "exports", name: t("web.models.tab.exports") },
        ]}
      />
      {tab === "adapters" ? <AdapterList search={search} /> : null}
      {tab === "exports" ? <ExportList search={search} /> : null}
      {tab === "base" ? (
        <div className="grid gap-4">
          <Downloads />
          <BaseModelList search={search} />
          <StartingPoints search={search} />
        </div>
      ) : null}
    </Page>
  )
}
