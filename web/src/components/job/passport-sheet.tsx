import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { DOCUMENT_FILE, makePassport, PAGE_FILE, type Passport, passportKeys, passportQuery } from "@/api/passports"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { QueryView } from "@/components/states/query-view"
import { Button, buttonClass } from "@/components/ui/button"
import { Facts, Sheet } from "@/components/ui/sheet"
import { Chip } from "@/components/ui/status-chip"
import { formatTime } from "@/lib/format"
import { type TextKey, type Translate, useLanguage, useText } from "@/lib/text"

/**
 * The signed record of what a model was made of: whether it still holds, what it says, and the way to its files.
 *
 * One that is known not to be there (`hasOne`) is not asked for.
 */
export function PassportSheet({
  id,
  hasOne,
  addressOf,
}: {
  id: string
  hasOne: boolean
  addressOf: (id: string, file: string) => string
}) {
  const t = useText()
  const passport = useQuery({ ...passportQuery(id), enabled: hasOne })
  const problems = passport.data?.problems
  const holds = problems && problems.length === 0
  return (
    <Sheet
      title={t("web.passport.title")}
      aside={
        problems ? (
          <Chip tone={holds ? "good" : "bad"}>{t(holds ? "web.passport.holds" : "web.passport.differs")}</Chip>
        ) : null
      }
    >
      {hasOne || passport.data ? (
        <QueryView query={passport} isEmpty={(found) => found === null} empty={<None id={id} />}>
          {(found) => found && <Record id={id} passport={found} addressOf={addressOf} />}
        </QueryView>
      ) : (
        <None id={id} />
      )}
    </Sheet>
  )
}

function None({ id }: { id: string }) {
  const t = useText()
  return (
    <Empty words={t("web.passport.none")}>
      <Make id={id} name="web.passport.make" />
    </Empty>
  )
}

function Record({
  id,
  passport: { document, problems },
  addressOf,
}: {
  id: string
  passport: Passport
  addressOf: (id: string, file: string) => string
}) {
  const t = useText()
  const language = useLanguage()
  return (
    <div className="grid gap-3">
      {problems.length > 0 ? (
        <div className="grid justify-items-start gap-2 border-l-3 border-bad pl-3 text-14">
          <p>{t("web.passport.problems", { names: problems.join(", ") })}</p>
          <Make id={id} name="web.passport.again" />
        </div>
      ) : null}
      <div className="@container">
        <Facts
          isBroad
          items={[
            { name: t("web.passport.base"), value: document.base.name },
            { name: t("web.passport.data"), value: t("web.datasets.examples", { count: document.data.num_rows }) },
            ...document.licenses.map(({ part, name, license }) => ({
              name: licenseName(part, t),
              value: license ?? t("web.passport.unknown", { name }),
            })),
            { name: t("web.passport.files"), value: Object.keys(document.files).length },
            { name: t("web.passport.made"), value: formatTime(document.made_at, language) },
          ]}
        />
      </div>
      <div className="flex flex-wrap gap-2">
        <a href={addressOf(id, PAGE_FILE)} download className={buttonClass()}>
          {t("web.passport.page")}
        </a>
        <a href={addressOf(id, DOCUMENT_FILE)} download className={buttonClass("quiet")}>
          {t("web.passport.json")}
        </a>
      </div>
      <p className="text-s text-ink-2">{t("web.passport.help")}</p>
    </div>
  )
}

const PARTS = ["base", "data", "llmlora"] as const

function licenseName(part: string, t: Translate): string {
  const known = PARTS.find((name) => name === part)
  return known ? t(`web.passport.license.${known}`) : part
}

function Make({ id, name }: { id: string; name: TextKey }) {
  const t = useText()
  const client = useQueryClient()
  const make = useMutation({
    mutationFn: () => makePassport(id),
    onSuccess: (made) => client.setQueryData(passportKeys.one(id), made),
  })
  return (
    <>
      <Button isBusy={make.isPending} onClick={() => make.mutate()}>
        {t(name)}
      </Button>
      {make.isError ? <Failed error={make.error} /> : null}
    </>
  )
}
