import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type SystemInfo, systemQueries } from "@/api/system"
import { QueryView } from "@/components/states/query-view"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** The machine in figures, with how much of each is used. */
export function SystemSheet() {
  const t = useText()
  const info = useQuery(systemQueries.info())
  return (
    <Sheet
      title={t("web.page.system")}
      aside={
        <Link to="/system" className="text-s text-accent underline underline-offset-3">
          {t("web.details")}
        </Link>
      }
    >
      <QueryView query={info} lines={6}>
        {(data) => <Gauges info={data} />}
      </QueryView>
    </Sheet>
  )
}

function Gauges({ info }: { info: SystemInfo }) {
  const t = useText()
  const language = useLanguage()
  const { cpu, memory, disk, gpus } = info
  const size = (bytes: number) => formatBytes(bytes, language)
  const usedDisk = (100 * (disk.total_bytes - disk.free_bytes)) / disk.total_bytes
  return (
    <div className="grid gap-4">
      <Gauge
        name={t("web.system.cpu")}
        percent={cpu.percent}
        value={`${Math.round(cpu.percent)}%`}
        note={t("web.system.cores", { cores: cpu.cores, threads: cpu.threads })}
      />
      <Gauge
        name={t("web.system.memory")}
        percent={memory.percent}
        value={t("web.system.free", { size: size(memory.available_bytes) })}
        note={t("web.system.of", { size: size(memory.total_bytes) })}
      />
      <Gauge
        name={t("web.system.disk")}
        percent={usedDisk}
        value={t("web.system.free", { size: size(disk.free_bytes) })}
        note={t("web.system.of", { size: size(disk.total_bytes) })}
      />
      {gpus.length === 0 ? (
        <Line name={t("web.system.gpu")} value={t("web.system.no_gpu")} />
      ) : (
        <Line name={t("web.system.gpu")} value={gpus.map((gpu) => gpuWords(gpu, size)).join(", ")} />
      )}
    </div>
  )
}

function gpuWords(gpu: SystemInfo["gpus"][number], size: (bytes: number) => string): string {
  return gpu.memory_bytes === null ? gpu.name : `${gpu.name} ${size(gpu.memory_bytes)}`
}

function Gauge({ name, percent, value, note }: { name: string; percent: number; value: string; note: string }) {
  return (
    <div className="grid gap-1">
      <div className="flex items-baseline justify-between gap-2">
        <span className="text-s text-ink-2">{name}</span>
        <span className="font-semibold">
          {value} <small className="font-normal text-ink-2">{note}</small>
        </span>
      </div>
      <Progress label={name} percent={percent} isSlim />
    </div>
  )
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex items-baseline justify-between gap-2">
      <span className="text-s text-ink-2">{name}</span>
      <span>{value}</span>
    </div>
  )
}
