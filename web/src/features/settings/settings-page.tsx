import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import {
  changeSettings,
  type Settings,
  type SettingsChange,
  settingsKeys,
  settingsQueries,
  type WorkspaceSettings,
} from "@/api/settings"
import { Page } from "@/components/layout/page"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { Checkbox, TextField } from "@/components/ui/field"
import { NumberField } from "@/components/ui/number-field"
import { Sheet } from "@/components/ui/sheet"
import { Table } from "@/components/ui/table"
import { useText } from "@/lib/text"

/** What can be changed while the server runs, saved at once, and what only a file or the environment changes. */
export function SettingsPage() {
  const t = useText()
  const settings = useQuery(settingsQueries.all())
  return (
    <Page title={t("web.page.settings")}>
      <QueryView query={settings} isOnDesk lines={8}>
        {({ settings, fixed }) => (
          <div className="grid gap-4">
            <Changeable settings={settings} />
            <Sheet title={t("web.settings.fixed")}>
              <p className="mb-2 text-14 text-ink-2">{t("web.settings.fixed_words")}</p>
              <Table
                caption={t("web.settings.fixed")}
                columns={[
                  { name: t("web.settings.setting"), cell: ({ name }) => <FixedName name={name} /> },
                  { name: t("web.settings.value"), cell: ({ value }) => <Written value={value} /> },
                  { name: t("web.settings.origin"), cell: ({ origin }) => t(ORIGINS[origin]), isWide: true },
                ]}
                rows={fixed}
                keyOf={({ name }) => name}
              />
            </Sheet>
          </div>
        )}
      </QueryView>
    </Page>
  )
}

const ORIGINS = {
  default: "web.settings.default",
  environment: "web.settings.environment",
  command_line: "web.settings.command_line",
} as const

const FIXED = [
  "host",
  "port",
  "allowed_hosts",
  "workspace",
  "database",
  "ollama_host",
  "hub_offline",
  "remote_code",
] as const

/** What a setting is, and its name where it is changed. */
function FixedName({ name }: { name: string }) {
  const t = useText()
  const known = FIXED.find((one) => one === name)
  return (
    <>
      {known ? <span className="block">{t(`web.settings.fixed.${known}`)}</span> : null}
      <code className="font-mono text-s text-ink-2">{name}</code>
    </>
  )
}

function Written({ value }: { value: unknown }) {
  const t = useText()
  if (typeof value === "boolean") return t(value ? "web.settings.yes" : "web.settings.no")
  if (value === null || (Array.isArray(value) && value.length === 0)) return "–"
  if (Array.isArray(value)) return value.join(", ")
  return <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
}

/** Saves a change at once and shows it at once; one that fails goes back, and says so. */
function useChange() {
  const t = useText()
  const client = useQueryClient()
  return useMutation({
    mutationFn: changeSettings,
    onMutate: (changes: SettingsChange) => {
      const before = client.getQueryData<Settings>(settingsKeys.all)
      client.setQueryData<Settings>(
        settingsKeys.all,
        (known) => known && { ...known, settings: { ...known.settings, ...changes } as WorkspaceSettings },
      )
      return before
    },
    onError: (error, _, before) => {
      client.setQueryData(settingsKeys.all, before)
      toastError(error, t)
    },
    onSuccess: (saved) => client.setQueryData(settingsKeys.all, saved),
  })
}

function Changeable({ settings }: { settings: WorkspaceSettings }) {
  const t = useText()
  const { mutate } = useChange()
  const night = settings.night_window
  return (
    <>
      <Sheet title={t("web.settings.queue")}>
        <div className="grid max-w-120 gap-4">
          <NumberField
            label={t("web.settings.max_running")}
            help={t("web.settings.max_running_help")}
            value={settings.max_running}
            min={0}
            max={64}
            isWhole
            onValue={(max_running) => mutate({ max_running })}
          />
          <Checkbox
            label={t("web.settings.night")}
            help={t("web.settings.night_help")}
            checked={night !== null}
            onChange={(event) =>
              mutate({ night_window: event.target.checked ? { start: "22:00", end: "06:00" } : null })
            }
          />
          {night ? (
            <div className="grid grid-cols-2 gap-3">
              {(["start", "end"] as const).map((edge) => (
                <TextField
                  key={edge}
                  type="time"
                  label={t(edge === "start" ? "web.settings.from" : "web.settings.until")}
                  value={night[edge]}
                  onChange={(event) =>
                    event.target.value && mutate({ night_window: { ...night, [edge]: event.target.value } })
                  }
                />
              ))}
            </div>
          ) : null}
          <Checkbox
            label={t("web.settings.pause_while_ollama")}
            checked={settings.pause_while_ollama}
            onChange={(event) => mutate({ pause_while_ollama: event.target.checked })}
          />
        </div>
      </Sheet>
      <Sheet title={t("web.settings.training")}>
        <div className="grid max-w-120 gap-4">
          <Checkbox
            label={t("web.settings.auto_shrink")}
            help={t("web.settings.auto_shrink_help")}
            checked={settings.auto_shrink}
            onChange={(event) => mutate({ auto_shrink: event.target.checked })}
          />
          <NumberField
            label={t("web.settings.keep_checkpoints")}
            help={t("web.settings.keep_checkpoints_help")}
            value={settings.keep_checkpoints ?? null}
            min={2}
            max={1000}
            isWhole
            onValue={(keep_checkpoints) => mutate({ keep_checkpoints })}
          />
        </div>
      </Sheet>
    </>
  )
}
