import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"

/** Back and forth in pages of which each is known by the place where the one before has ended. */
export function Pager({
  before,
  next,
  onPlaces,
}: {
  /** The places of the pages up to this one; the first is 0. */
  before: readonly number[]
  next: string | null
  onPlaces: (places: number[]) => void
}) {
  const t = useText()
  if (before.length === 1 && next === null) return null
  return (
    <nav aria-label={t("web.pages")} className="mt-3 flex items-center justify-end gap-2 text-s">
      <Button disabled={before.length === 1} onClick={() => onPlaces(before.slice(0, -1))}>
        {t("web.pages.back")}
      </Button>
      <span className="text-ink-2">{t("web.pages.number", { number: before.length })}</span>
      <Button disabled={next === null} onClick={() => next !== null && onPlaces([...before, Number(next)])}>
        {t("web.pages.next")}
      </Button>
    </nav>
  )
}
