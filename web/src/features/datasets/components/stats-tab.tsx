import { useQuery } from "@tanstack/react-query"
import { type Dataset, type DatasetStats, datasetQueries } from "@/api/datasets"
import { QueryView } from "@/components/states/query-view"
import { Facts, Figures, Sheet } from "@/components/ui/sheet"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** Numbers about a dataset: how much there is, how long it is, and what is repeated in it. */
export function StatsTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const stats = useQuery(datasetQueries.stats(dataset.id, null))
  return (
    <QueryView query={stats} isOnDesk>
      {(found) => (
        <div className="grid gap-4">
          <Sheet>
            <Size stats={found} />
          </Sheet>
          <div className="grid items-start gap-4 md:grid-cols-2 lg:grid-cols-3">
            {Object.entries(found.histograms).map(([name, bars]) => (
              <Sheet key={name} title={name === "characters" ? t("web.stats.characters") : t("web.stats.answers")}>
                <Histogram bars={bars} />
                <p className="mt-2 text-s text-ink-2">
                  {name === "characters" ? t("web.stats.characters_hint") : t("web.stats.answers_hint")}
                </p>
              </Sheet>
            ))}
            <Sheet title={t("web.stats.contents")}>
              <Contents stats={found} />
            </Sheet>
          </div>
        </div>
      )}
    </QueryView>
  )
}

function Size({ stats }: { stats: DatasetStats }) {
  const t = useText()
  const language = useLanguage()
  const number = (value: number | null | undefined) => (value ?? 0).toLocaleString(language)
  return (
    <Figures
      items={[
        { name: t("web.datasets.count"), value: number(stats.num_examples), unit: t("web.stats.examples") },
        { name: t("web.datasets.size"), value: formatBytes(stats.num_bytes, language) },
        { name: t("web.stats.all_characters"), value: number(stats.num_characters), unit: t("web.stats.letters") },
        {
          name: t("web.stats.mean_answer"),
          value: number(Math.round(stats.answer_characters?.mean ?? 0)),
          unit: t("web.stats.letters"),
        },
      ]}
    />
  )
}

function Contents({ stats }: { stats: DatasetStats }) {
  const t = useText()
  const percent = (share: number | null | undefined) => (share == null ? "–" : `${Math.round(100 * share)} %`)
  const { duplicate = 0, near_duplicate = 0, contradiction = 0 } = stats.duplicates
  const items = [
    { name: t("web.stats.learned_share"), value: percent(stats.learned_share) },
    { name: t("web.stats.japanese"), value: percent(stats.languages.ja) },
    { name: t("web.stats.duplicates"), value: duplicate.toLocaleString() },
    { name: t("web.stats.near_duplicates"), value: near_duplicate.toLocaleString() },
    { name: t("web.stats.contradictions"), value: contradiction.toLocaleString() },
    {
      name: t("web.stats.personal"),
      value: Object.values(stats.personal_data)
        .reduce((sum, count) => sum + count, 0)
        .toLocaleString(),
    },
  ]
  return <Facts items={items} />
}

function Histogram({ bars }: { bars: DatasetStats["histograms"][string] }) {
  const t = useText()
  const highest = Math.max(1, ...bars.map(({ count }) => count))
  return (
    <table className="w-full text-s">
      <thead className="sr-only">
        <tr>
          <th scope="col">{t("web.stats.length")}</th>
          <th scope="col">{t("web.datasets.count")}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ over, up_to, count }) => (
          <tr key={up_to}>
            <th scope="row" className="w-20 py-0.5 pr-3 text-right font-normal whitespace-nowrap text-ink-2">
              {t("web.stats.range", { from: over + 1, to: up_to })}
            </th>
            <td className="py-0.5">
              <span className="flex items-center gap-2">
                <span
                  aria-hidden="true"
                  className="h-3 rounded-small bg-accent"
                  style={{ width: `${(80 * count) / highest}%` }}
                />
                {count.toLocaleString()}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
