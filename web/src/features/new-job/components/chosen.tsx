import { Button } from "@/components/ui/button"
import { type TextKey, useText } from "@/lib/text"
import { type Wish, withSetting } from "../wish"

/** The settings that were changed by hand, where their fields are not shown: none is in force unseen. */
export function Chosen({ wish, onWish }: { wish: Wish; onWish: (wish: Wish) => void }) {
  const t = useText()
  const names = Object.keys(wish.settings)
  if (names.length === 0) return null
  return (
    <div className="mt-3 border-t pt-3">
      <h3 className="text-s font-normal text-ink-2">{t("web.new_job.chosen")}</h3>
      <ul className="grid gap-x-6 md:grid-cols-2">
        {names.map((name) => (
          <li key={name} className="flex items-center gap-2 text-14">
            <span className="min-w-0 flex-1">{t(`web.field.${name}` as TextKey)}</span>
            <b className="min-w-0 truncate">{String(wish.settings[name])}</b>
            <Button look="quiet" onClick={() => onWish(withSetting(wish, name, undefined))}>
              {t("web.field.reset")}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  )
}
