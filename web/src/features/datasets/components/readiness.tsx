import { Icon } from "@/components/ui/icon"
import { useText } from "@/lib/text"

/** Whether a dataset can be trained on, as shape, word and colour. */
export function Readiness({ isOk }: { isOk: boolean }) {
  const t = useText()
  return (
    <span
      className={`inline-flex items-center gap-1 whitespace-nowrap align-middle text-s ${isOk ? "text-good" : "text-bad"}`}
    >
      <Icon name={isOk ? "check" : "warning"} size={16} />
      {t(isOk ? "web.datasets.ready" : "web.datasets.not_ready")}
    </span>
  )
}
