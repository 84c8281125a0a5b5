import type { Export } from "@/api/exports"
import type { Model } from "@/api/models"
import { Checkbox } from "@/components/ui/field"
import { Chip } from "@/components/ui/status-chip"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { QUANTIZATIONS, RECOMMENDED, type Size, STITCHED, sizeOf } from "../quantizations"

/** Where sizes are known from: the base model, and exports of it. */
export interface Sizes {
  model: Model | undefined
  ofSameBase: readonly Export[]
}

/** Every form that a model can be written in, with a sentence and its size; several can be chosen. */
export function QuantizationList({
  chosen,
  onChosen,
  isStitchable,
  sizes,
}: {
  chosen: readonly string[]
  onChosen: (chosen: string[]) => void
  isStitchable: boolean
  sizes: Sizes
}) {
  const t = useText()
  const names = [...(isStitchable ? [STITCHED] : []), ...QUANTIZATIONS.map(({ name }) => name)]
  const toggle = (name: string) =>
    onChosen(names.filter((known) => (known === name ? !chosen.includes(name) : chosen.includes(known))))
  const recommended = isStitchable ? STITCHED : RECOMMENDED
  return (
    <ul className="grid gap-3">
      {isStitchable ? (
        <li>
          <Checkbox
            label={t("web.exports.kind.stitched")}
            help={t("web.exports.kind_help.stitched")}
            mark={<Recommended />}
            checked={chosen.includes(STITCHED)}
            onChange={() => toggle(STITCHED)}
          />
        </li>
      ) : null}
      {QUANTIZATIONS.map(({ name, bits }) => (
        <li key={name} className="flex items-start justify-between gap-x-3 max-md:flex-col">
          <Checkbox
            label={name}
            help={t(`web.exports.kind_help.${name}`)}
            mark={name === recommended ? <Recommended /> : null}
            checked={chosen.includes(name)}
            onChange={() => toggle(name)}
          />
          <SizeWords size={sizeOf(name, bits, sizes.model, sizes.ofSameBase)} />
        </li>
      ))}
    </ul>
  )
}

function Recommended() {
  const t = useText()
  return <Chip tone="good">{t("web.exports.recommended")}</Chip>
}

/** A size, marked where it is only reckoned. */
export function SizeWords({ size }: { size: Size | null }) {
  const t = useText()
  const language = useLanguage()
  if (size === null)
    return <span className="flex-none text-s text-ink-2 max-md:pl-6">{t("web.exports.size_later")}</span>
  const words = formatBytes(size.bytes, language)
  return (
    <span className="flex-none text-right text-s whitespace-nowrap max-md:pl-6">
      {size.isEstimated ? t("web.exports.estimated", { size: words }) : words}
    </span>
  )
}
