import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { isActive, type JobSummary, jobQueries } from "@/api/jobs"
import { systemQueries } from "@/api/system"
import { Button } from "@/components/ui/button"
import { Icon } from "@/components/ui/icon"
import { formatBytes, formatLeft } from "@/lib/format"
import { LANGUAGES, switchLanguage, useLanguage, useText } from "@/lib/text"
import { isDark, useUi } from "@/lib/ui"

/** What holds for every page: the machine, the job that runs, language, theme, help. */
export function TopBar({ onHelp }: { onHelp: () => void }) {
  const t = useText()
  return (
    <header className="sticky top-0 z-10 flex h-13 items-center gap-2 border-b bg-paper px-4 text-s text-ink-2 md:px-6">
      <Link to="/" className="flex-none text-m font-bold text-ink md:hidden">
        llmlora
      </Link>
      <DeviceChip />
      <span className="flex-1" />
      <JobChip />
      <LanguageButton />
      <ThemeButton />
      <Button look="quiet" className="-mr-2 px-2 max-md:hidden" aria-label={t("web.help.title")} onClick={onHelp}>
        ?
      </Button>
    </header>
  )
}

const TAG = "inline-flex min-w-0 items-center gap-1.5 rounded-full border px-2.5 py-0.5 whitespace-nowrap"

function DeviceChip() {
  const t = useText()
  const language = useLanguage()
  const { data } = useQuery(systemQueries.info())
  if (!data) return null
  const [gpu] = data.gpus
  const free = formatBytes(data.memory.available_bytes, language)
  const words = gpu
    ? t("web.device.gpu", { name: gpu.name, free })
    : t("web.device.cpu", { cores: data.cpu.threads, free })
  return (
    <span className={`${TAG} bg-sheet max-md:hidden`}>
      <i className="size-2 rounded-[2px] bg-ink-3" />
      {words}
    </span>
  )
}

function JobChip() {
  const { data } = useQuery(jobQueries.list())
  const running = data?.items.find(isActive)
  return running ? <RunningJob job={running} /> : null
}

function RunningJob({ job }: { job: JobSummary }) {
  const t = useText()
  const language = useLanguage()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  const percent = data?.percent ?? null
  const eta = data?.eta_seconds ?? null
  return (
    <Link
      to="/jobs/$jobId"
      params={{ jobId: job.id }}
      className={`${TAG} border-transparent bg-accent-soft text-accent`}
    >
      <i className="size-2 flex-none rounded-full bg-current" />
      <span className="truncate">{job.name}</span>
      {percent === null ? null : <span>{Math.floor(percent)}%</span>}
      {eta === null ? null : (
        <span className="max-md:hidden">{t("web.job.left", { time: formatLeft(eta, language) })}</span>
      )}
    </Link>
  )
}

function LanguageButton() {
  const language = useLanguage()
  const other = language === "ja" ? "en" : "ja"
  return (
    <Button look="quiet" className="px-2 text-s" lang={other} onClick={() => switchLanguage(other)}>
      {LANGUAGES[other]}
    </Button>
  )
}

function ThemeButton() {
  const t = useText()
  const theme = useUi((state) => state.theme)
  const setTheme = useUi((state) => state.setTheme)
  const dark = isDark(theme)
  return (
    <Button
      look="quiet"
      className="px-2"
      aria-label={t(dark ? "web.theme.to_light" : "web.theme.to_dark")}
      onClick={() => setTheme(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "light" : "dark"} />
    </Button>
  )
}
