import { useQuery } from "@tanstack/react-query"
import { modelQueries } from "@/api/models"
import { ollamaQueries } from "@/api/ollama"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { LongName } from "@/components/ui/long-name"
import { Sheet } from "@/components/ui/sheet"
import { Table } from "@/components/ui/table"
import { formatCount } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { hasWords } from "../search"
import { GetModel } from "./get-model"

/** Models that are good to begin with and can be had, each with its licence and how Ollama gets it. */
export function StartingPoints({ search }: { search: string }) {
  const t = useText()
  const language = useLanguage()
  const names = new Intl.DisplayNames(language, { type: "language" })
  const server = useQuery(ollamaQueries.server()).data
  const points = useQuery(modelQueries.catalogue())
  return (
    <Sheet title={t("web.models.start")}>
      <QueryView query={points}>
        {({ items }) => {
          const found = items.filter(({ id, license, ollama }) => hasWords([id, license, ollama], search))
          if (found.length === 0) return <p className="text-14 text-ink-2">{t("web.models.none_found")}</p>
          return (
            <>
              {server && !server.version ? <p className="mb-2 text-s text-ink-2">{t("web.models.no_ollama")}</p> : null}
              <Table
                caption={t("web.models.start")}
                rows={found}
                keyOf={({ id }) => id}
                columns={[
                  {
                    name: t("web.models.name"),
                    cell: ({ id, source }) => (
                      <a href={source} target="_blank" rel="noreferrer" className="hover:text-accent hover:underline">
                        <LongName>{id}</LongName>
                      </a>
                    ),
                  },
                  {
                    name: t("web.models.languages"),
                    cell: ({ languages }) => <Dotted words={languages.map((code) => names.of(code) ?? code)} />,
                    isWide: true,
                  },
                  {
                    name: t("web.models.parameters"),
                    cell: ({ num_parameters }) => formatCount(num_parameters, language),
                    isNumber: true,
                  },
                  {
                    name: t("web.models.license"),
                    cell: ({ license, gated }) => (gated ? t("web.models.gated", { license }) : license),
                    isWide: true,
                  },
                  {
                    name: t("web.models.get"),
                    cell: ({ ollama, source }) =>
                      ollama ? (
                        <GetModel name={ollama} />
                      ) : (
                        <a
                          href={source}
                          target="_blank"
                          rel="noreferrer"
                          className={buttonClass("accent", "-ml-2 px-2 underline underline-offset-3")}
                        >
                          {t("web.models.source_page")}
                        </a>
                      ),
                  },
                ]}
              />
            </>
          )
        }}
      </QueryView>
    </Sheet>
  )
}
