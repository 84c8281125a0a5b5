import type { Ladder } from "@/api/evaluations"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { type TextKey, type Translate, useText } from "@/lib/text"

type Rung = Ladder["rungs"][number]
type Share = Rung["facts"]

/** Whether tuning was needed: what the base says alone, with a prompt and with examples, beside the tuned model. */
export function LadderSheet({ ladder }: { ladder: Ladder }) {
  const t = useText()
  const columns: Column<Rung>[] = [
    {
      name: t("evaluation.ladder.head_rung"),
      cell: ({ name }) => <span className="inline-block first-letter:uppercase">{rungName(name, t)}</span>,
    },
    { name: t("evaluation.ladder.head_facts"), cell: ({ facts }) => shareWords(facts), isNumber: true },
    { name: t("evaluation.ladder.head_interval"), cell: ({ facts }) => intervalWords(facts), isNumber: true },
    {
      name: t("evaluation.ladder.head_as_trained"),
      cell: ({ as_trained: share }) => shareWords(share),
      isNumber: true,
      isWide: true,
    },
    {
      name: t("evaluation.ladder.head_other_words"),
      cell: ({ other_words: share }) => shareWords(share),
      isNumber: true,
      isWide: true,
    },
  ]
  return (
    <Sheet title={t("web.ladder.title")}>
      <p className="mb-2 text-14">{ladderWords(ladder, t)}</p>
      <Table caption={t("web.ladder.title")} columns={columns} rows={ladder.rungs} keyOf={({ name }) => name} />
    </Sheet>
  )
}

/** Returns the sentence that the ladder comes to. */
export function ladderWords({ rungs, best_prompt: best, verdict }: Ladder, t: Translate): string {
  const [prompt, tuned] = [best, "tuned"].map((name) => rungs.find((rung) => rung.name === name)?.facts)
  const isNothing = !prompt?.carried && !tuned?.carried
  const key = isNothing ? "nothing" : (VERDICTS.find((known) => known === verdict) ?? "nothing")
  const words = (share: Share | undefined) =>
    share ? t("evaluation.ladder.share", { facts: shareWords(share), interval: intervalWords(share) }) : "–"
  const values = { prompt: words(prompt), tuned: words(tuned), rung: rungName(best, t) }
  return t(`evaluation.ladder.${key}`, values)
}

const VERDICTS = ["as_well", "better", "worse"] as const
const RUNGS = ["base", "system", "few_shot", "tuned"]

function rungName(name: string, t: Translate): string {
  return RUNGS.includes(name) ? t(`evaluation.ladder.rung_${name}` as TextKey) : name
}

function shareWords(share: Share | null): string {
  return share ? `${share.carried} / ${share.asked}` : "–"
}

function intervalWords({ low, high }: Share): string {
  return `${Math.round(100 * low)}–${Math.round(100 * high)} %`
}
