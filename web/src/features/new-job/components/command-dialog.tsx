import { useQuery } from "@tanstack/react-query"
import { type PlanRequest, trainingQueries } from "@/api/training"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { CopyButton, CopyCommand } from "@/components/ui/copy"
import { Dialog } from "@/components/ui/dialog"
import { Listing } from "@/components/ui/listing"
import { useText } from "@/lib/text"
import { RECIPE_FILE, recipeAddress } from "../recipe-file"

/** The same job as a call of the API, and as a recipe in YAML for the command line. */
export function CommandDialog({
  request,
  isOpen,
  onClose,
}: {
  request: PlanRequest
  isOpen: boolean
  onClose: () => void
}) {
  const t = useText()
  return (
    <Dialog title={t("web.command.show")} isOpen={isOpen} onClose={onClose}>
      <div className="grid gap-4">
        <p className="text-14 text-ink-2">{t("web.command.hint")}</p>
        <Recipe request={request} />
        <CopyCommand label={t("web.command.api")} command={apiCall(request, location.origin)} />
        <CopyCommand label={t("web.command.settings")} command={optionsOf(request)} />
      </div>
    </Dialog>
  )
}

/** The recipe to keep: the form reads it again, and so does the command line. */
function Recipe({ request }: { request: PlanRequest }) {
  const t = useText()
  const recipe = useQuery(trainingQueries.recipe(request))
  return (
    <section className="grid gap-1" aria-label={t("web.settings.recipe")}>
      <p className="text-s text-ink-2">{t("web.command.recipe")}</p>
      <QueryView query={recipe}>
        {(text) => (
          <>
            <Listing text={text} isShort />
            <div className="flex flex-wrap gap-2">
              <a href={recipeAddress(text)} download={RECIPE_FILE} className={buttonClass()}>
                {t("web.recipe.save")}
              </a>
              <CopyButton text={text} />
            </div>
          </>
        )}
      </QueryView>
    </section>
  )
}

/** Returns the call that starts the same job, for a shell. */
export function apiCall(request: PlanRequest, origin: string): string {
  const body = JSON.stringify(request).replaceAll("'", "'\\''")
  return [
    `curl -X POST ${origin}/api/training/jobs \\`,
    '  -H "Authorization: Bearer $LLMLORA_TOKEN" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '${body}'`,
  ].join("\n")
}

/** Returns the options with which `llmlora train --data FILE` uses the same model and settings. */
export function optionsOf({
  base_model: base,
  preset,
  training_preset: training,
  settings = {},
  replay,
}: PlanRequest): string {
  const chosen = Object.entries(settings).map(([name, value]) => `--set ${name}=${quoted(value)}`)
  const presets = [`--preset ${preset}`, `--training-preset ${training}`].filter(
    (words) => !words.endsWith("recommended"),
  )
  const earlier = replay ? [`--replay ${quoted(replay.source)} --replay-share ${replay.share}`] : []
  return [`--model ${quoted(base)}`, ...presets, ...chosen, ...earlier].join(" ")
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
