import { useQuery } from "@tanstack/react-query"
import { type Check, healthQueries } from "@/api/system"
import { Page } from "@/components/layout/page"
import { QueryView } from "@/components/states/query-view"
import { Button } from "@/components/ui/button"
import { CopyButton } from "@/components/ui/copy"
import { Icon } from "@/components/ui/icon"
import { Listing } from "@/components/ui/listing"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"

/** What this machine and this installation are like, what to do where something is wrong, and the server's log. */
export function SystemPage() {
  const t = useText()
  const doctor = useQuery(healthQueries.doctor())
  const again = (
    <Button isBusy={doctor.isFetching} onClick={() => doctor.refetch()}>
      {t("web.system.check_again")}
    </Button>
  )
  return (
    <Page title={t("web.page.system")} actions={again}>
      <div className="grid gap-4">
        <Sheet>
          <QueryView query={doctor} lines={10}>
            {({ checks, ok, version }) => (
              <>
                <div className="mb-2 flex items-center justify-between gap-3">
                  <p className={`font-semibold ${ok ? "text-good" : "text-bad"}`}>
                    {t(ok ? "web.system.all_well" : "web.system.not_well")}
                  </p>
                  <CopyButton name={t("web.copy_report")} text={reportOf(checks, version)} />
                </div>
                <ul className="divide-y">
                  {checks.map((check) => (
                    <CheckLine key={check.id} check={check} />
                  ))}
                </ul>
              </>
            )}
          </QueryView>
        </Sheet>
        <ServerLog />
      </div>
    </Page>
  )
}

const LOOKS = {
  /** Well, though something that is not needed could be added. */
  optional: { icon: "circle", tone: "text-ink-3", word: "web.system.ok" },
  ok: { icon: "check", tone: "text-good", word: "web.system.ok" },
  warning: { icon: "warning", tone: "text-warn", word: "web.system.warning" },
  error: { icon: "warning", tone: "text-bad", word: "web.system.error" },
} as const

function CheckLine({ check }: { check: Check }) {
  const t = useText()
  const { icon, tone, word } = LOOKS[check.status === "ok" && check.hint ? "optional" : check.status]
  return (
    <li className="flex gap-3 py-2.5 text-14">
      <span className={`pt-0.5 ${tone}`}>
        <Icon name={icon} />
      </span>
      <div className="min-w-0">
        <p>
          <span className="sr-only">{t(word)}</span>
          {check.message}
        </p>
        {check.hint ? <p className="whitespace-pre-line text-s text-ink-2">{check.hint}</p> : null}
      </div>
    </li>
  )
}

function reportOf(checks: readonly Check[], version: string): string {
  return [`llmlora ${version}`, ...checks.map(({ status, message }) => `${status}: ${message}`)].join("\n")
}

function ServerLog() {
  const t = useText()
  const log = useQuery(healthQueries.log())
  return (
    <Sheet
      title={t("web.system.log")}
      aside={
        <Button look="quiet" isBusy={log.isFetching} onClick={() => log.refetch()}>
          {t("web.system.read_again")}
        </Button>
      }
    >
      <QueryView
        query={log}
        isEmpty={({ text }) => text === ""}
        empty={<p className="text-14 text-ink-2">{t("web.system.empty_log")}</p>}
      >
        {({ text }) => <Listing text={text} />}
      </QueryView>
    </Sheet>
  )
}
