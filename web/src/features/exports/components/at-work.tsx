import type { Export } from "@/api/exports"
import { isActive } from "@/api/jobs"
import { Icon } from "@/components/ui/icon"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { STITCHED } from "../quantizations"

/** An export on its way: what its worker does now, and which of the wanted files are there already. */
export function AtWork({ export: made }: { export: Export }) {
  const t = useText()
  const { message, percent } = made.progress
  return (
    <Sheet>
      <div className="mb-2.5 flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <StatusChip job={made} />
        <span className="text-s text-ink-2">
          {message ?? t(isActive(made) ? "web.job.starting" : "web.exports.waits")}
        </span>
      </div>
      <Progress label={t("web.job.progress_of", { name: made.name })} percent={isActive(made) ? percent : 0} />
      <ul className="mt-4 grid gap-1.5 text-14">
        {(made.quantizations ?? []).map((name) => (
          <Wanted key={name} name={name} made={made} />
        ))}
        {made.adapter ? <Wanted name={null} made={made} /> : null}
      </ul>
    </Sheet>
  )
}

function Wanted({ name, made }: { name: string | null; made: Export }) {
  const t = useText()
  const language = useLanguage()
  const file = made.files.find(({ quantization }) => quantization === name)
  const words = name === null ? t("web.exports.adapter") : name === STITCHED ? t("web.exports.kind.stitched") : name
  return (
    <li className="flex items-center gap-2">
      <span className={file ? "text-good" : "text-ink-3"}>
        <Icon name={file ? "check" : "circle"} size={16} />
      </span>
      <span className="font-semibold">{words}</span>
      <span className="text-s text-ink-2">
        {file
          ? t("web.exports.written", { size: formatBytes(file.size_bytes, language) })
          : t("web.exports.not_written")}
      </span>
    </li>
  )
}
