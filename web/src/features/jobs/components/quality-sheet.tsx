import type { Quality } from "@/api/evaluations"
import { Sheet } from "@/components/ui/sheet"
import { Table } from "@/components/ui/table"
import { useText } from "@/lib/text"
import { type Measure, qualityMeasures } from "../quality"

/** More than facts: terms, the same answer in other words, safety and fluency, each with what it is. */
export function QualitySheet({ quality }: { quality: Quality }) {
  const t = useText()
  const columns = [
    {
      name: t("evaluation.quality.measure"),
      cell: ({ name }: Measure) => (
        <>
          {t(`evaluation.quality.${name}`)}
          <p className="text-s text-ink-2">{t(`evaluation.quality.about_${name}`)}</p>
        </>
      ),
    },
    { name: t("web.evaluation.before"), cell: ({ base }: Measure) => <Amount words={base} />, isNumber: true },
    { name: t("web.evaluation.after"), cell: ({ tuned }: Measure) => <Amount words={tuned} />, isNumber: true },
  ]
  const missed = quality.term_accuracy.missed.join(", ")
  return (
    <Sheet title={t("evaluation.quality.title")}>
      <Table
        caption={t("evaluation.quality.title")}
        columns={columns}
        rows={qualityMeasures(quality)}
        keyOf={({ name }) => name}
        isStacked
      />
      {missed ? <p className="mt-2 text-14">{t("evaluation.quality.missed", { terms: missed })}</p> : null}
      <p className="mt-2 text-s text-ink-2">{t("evaluation.quality.hint")}</p>
    </Sheet>
  )
}

/** A measure, and below it the interval in which it lies. */
function Amount({ words }: { words: string }) {
  const [measure, interval] = words.split(/ (?=\()/)
  return (
    <>
      {measure}
      {interval ? <span className="block text-s text-ink-2">{interval}</span> : null}
    </>
  )
}
