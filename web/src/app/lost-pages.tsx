import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { buttonClass } from "@/components/ui/button"
import { useText } from "@/lib/text"

/** An address that leads nowhere. */
export function MissingPage() {
  const t = useText()
  return (
    <Page title={t("web.missing.title")}>
      <Empty words={t("web.missing.words")}>
        <Link to="/" className={buttonClass("main")}>
          {t("web.missing.home")}
        </Link>
      </Empty>
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
      <Failed error={error} onRetry={retry} />
    </Page>
  )
}
