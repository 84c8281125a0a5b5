import type { PlanRequest } from "@/api/training"
import { CopyCommand } from "@/components/ui/copy"
import { Dialog } from "@/components/ui/dialog"
import { useText } from "@/lib/text"

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
        <CopyCommand label={t("web.command.api")} command={apiCall(request, location.origin)} />
        <CopyCommand label={t("web.command.settings")} command={optionsOf(request)} />
      </div>
    </Dialog>
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
export function optionsOf({ base_model: base, preset, training_preset: training, settings = {} }: PlanRequest): string {
  const chosen = Object.entries(settings).map(([name, value]) => `--set ${name}=${quoted(value)}`)
  const presets = [`--preset ${preset}`, `--training-preset ${training}`].filter(
    (words) => !words.endsWith("recommended"),
  )
  return [`--model ${quoted(base)}`, ...presets, ...chosen].join(" ")
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
