import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** An address that leads nowhere. */
export function MissingPage() {
  const t = useText()
  return (
    <Page title={t("web.missing.title")}>
      <Sheet>
        <Empty words={t("web.missing.words")}>
          <Link to="/" className={buttonClass("main")}>
            {t("web.missing.home")}
          </Link>
        </Empty>
      </Sheet>
    </Page>
  )
}

/** A page that broke; the frame around it lives on. */
export function CrashedPage({ error, reset }: ErrorComponentProps) {
  const t = useText()
  const router = useRouter()
  const retry = () => {
    reset()
    router.invalidate()
  }
  return (
    <Page title={t("web.crashed.title")}>
      <Sheet>
        <Failed error={error} onRetry={retry} />
      </Sheet>
    </Page>
  )
}
