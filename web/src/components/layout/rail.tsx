import { Link, useLocation } from "@tanstack/react-router"
import { useEffect, useState } from "react"
import { Dialog } from "@/components/ui/dialog"
import { Icon } from "@/components/ui/icon"
import { useText } from "@/lib/text"
import { RAIL, type RailItem } from "./rail-items"

function isCurrent(path: string, to: string): boolean {
  return to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`)
}

/** The pages, at the left of a wide screen. */
export function Rail() {
  const t = useText()
  return (
    <nav aria-label={t("web.menu")} className="sticky top-0 flex h-dvh flex-col gap-0.5 overflow-y-auto px-3 py-4">
      <Link to="/" className="px-2 pb-4 text-l font-bold tracking-[0.01em]">
        llmlora
      </Link>
      {RAIL.filter(({ isBelow }) => !isBelow).map((item) => (
        <RailLink key={item.to} item={item} />
      ))}
      {RAIL.some(({ isBelow }) => isBelow) ? <hr className="m-2" /> : null}
      {RAIL.filter(({ isBelow }) => isBelow).map((item) => (
        <RailLink key={item.to} item={item} />
      ))}
    </nav>
  )
}

function RailLink({ item }: { item: RailItem }) {
  const t = useText()
  const { pathname } = useLocation()
  return (
    <Link
      to={item.to}
      aria-current={isCurrent(pathname, item.to) ? "page" : undefined}
      className="flex items-center gap-2.5 rounded-small px-2 py-1.5 text-14 text-ink-2 hover:bg-sunk aria-[current]:bg-accent-soft aria-[current]:font-semibold aria-[current]:text-accent"
    >
      <Icon name={item.icon} />
      {t(item.name)}
    </Link>
  )
}

const BAR =
  "grid min-w-14 justify-items-center gap-px rounded-small px-2 py-1 text-[11px] text-ink-2 aria-[current]:font-semibold aria-[current]:text-accent"

/** The pages, at the bottom of a phone; those without a short name open from the last button. */
export function BottomBar() {
  const t = useText()
  const { pathname } = useLocation()
  const [isOpen, setIsOpen] = useState(false)
  const more = RAIL.filter(({ short }) => !short)
  // biome-ignore lint/correctness/useExhaustiveDependencies: going to a page closes the list of pages
  useEffect(() => setIsOpen(false), [pathname])
  return (
    <nav
      aria-label={t("web.menu")}
      className="fixed inset-x-0 bottom-0 z-10 flex justify-around border-t bg-sheet pt-1 pb-[calc(4px+env(safe-area-inset-bottom))] md:hidden"
    >
      {RAIL.flatMap(({ to, icon, short }) =>
        short ? (
          <Link key={to} to={to} aria-current={isCurrent(pathname, to) ? "page" : undefined} className={BAR}>
            <Icon name={icon} size={22} />
            {t(short)}
          </Link>
        ) : (
          []
        ),
      )}
      {more.length > 0 ? (
        <button
          type="button"
          aria-current={more.some(({ to }) => isCurrent(pathname, to)) ? "true" : undefined}
          className={BAR}
          onClick={() => setIsOpen(true)}
        >
          <Icon name="more" size={22} />
          {t("web.page.more")}
        </button>
      ) : null}
      <Dialog title={t("web.menu")} isOpen={isOpen} onClose={() => setIsOpen(false)}>
        {more.map((item) => (
          <RailLink key={item.to} item={item} />
        ))}
      </Dialog>
    </nav>
  )
}
