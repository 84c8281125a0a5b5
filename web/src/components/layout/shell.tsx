import { Outlet, useLocation } from "@tanstack/react-router"
import { useCallback, useEffect, useRef, useState } from "react"
import { useConnection } from "@/api/connection"
import { Dialog } from "@/components/ui/dialog"
import { Icon } from "@/components/ui/icon"
import { Toasts } from "@/components/ui/toast"
import { type TextKey, useLanguage, useText } from "@/lib/text"
import { BottomBar, Rail } from "./rail"
import { useShortcuts } from "./shortcuts"
import { TopBar } from "./top-bar"

/** The frame that stays while pages change. */
export function Shell() {
  const t = useText()
  const [isHelpOpen, setIsHelpOpen] = useState(false)
  const openHelp = useCallback(() => setIsHelpOpen(true), [])
  useShortcuts(openHelp)
  return (
    <div className="flex min-h-dvh">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:z-30 focus:bg-sheet focus:p-2">
        {t("web.skip")}
      </a>
      <div className="w-50 flex-none border-r max-md:hidden">
        <Rail />
      </div>
      <div className="min-w-0 flex-1">
        <TopBar onHelp={openHelp} />
        <ReconnectBanner />
        <main id="content" className="max-w-[1180px] px-4 pt-5 pb-22 md:px-6 md:pb-10">
          <FocusedOutlet />
        </main>
      </div>
      <BottomBar />
      <Toasts />
      <Help isOpen={isHelpOpen} onClose={() => setIsHelpOpen(false)} />
    </div>
  )
}

/** The page; after a change the reader's place is its heading. */
function FocusedOutlet() {
  const { pathname } = useLocation()
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true })
  }, [pathname])
  return <Outlet />
}

const PATIENCE = 1500 // milliseconds before a lost stream is worth a word

function ReconnectBanner() {
  const t = useText()
  const isLost = useConnection(({ isLive }) => isLive === false)
  const [isShown, setIsShown] = useState(false)
  useEffect(() => {
    if (!isLost) return setIsShown(false)
    const timer = setTimeout(() => setIsShown(true), PATIENCE)
    return () => clearTimeout(timer)
  }, [isLost])
  return (
    <div role="status" className="sticky top-13 z-10">
      {isShown ? (
        <p className="flex items-center gap-2 border-b bg-warn-soft px-4 py-1.5 text-14 text-warn md:px-6">
          <Icon name="warning" />
          {t("web.reconnecting")}
        </p>
      ) : null}
    </div>
  )
}

const KEYS: readonly [string, TextKey][] = [
  ["/", "web.help.search"],
  ["n", "web.help.new_job"],
  ["g h", "web.help.home"],
  ["g j", "web.help.jobs"],
  ["?", "web.help.title"],
]

function Help({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useText()
  const language = useLanguage()
  return (
    <Dialog title={t("web.help.title")} isOpen={isOpen} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-2 text-14">
        {KEYS.map(([keys, name]) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="rounded-small border border-line-strong bg-sunk px-1.5 font-mono text-s">{keys}</kbd>
            </dt>
            <dd>{t(name)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4">
        <a href={`/manual/${language}/index.html`} target="_blank" rel="noreferrer" className="text-accent underline">
          {t("web.help.manual")}
        </a>
      </p>
    </Dialog>
  )
}
