import { Button } from "@/components/ui/button"
import { Dotted } from "@/components/ui/dotted"
import { Checkbox, Field, INPUT } from "@/components/ui/field"
import { Icon } from "@/components/ui/icon"
import { NumberField } from "@/components/ui/number-field"
import { Sheet } from "@/components/ui/sheet"
import { useLanguage, useText } from "@/lib/text"
import { changeOptions, DEFAULTS, useOptions } from "../options"
import type { Mode } from "../search"

const NUMBERS = [
  { name: "temperature", label: "web.chat.temperature", help: "web.chat.temperature_help", min: 0, max: 100 },
  { name: "top_p", label: "web.chat.top_p", help: "web.chat.top_p_help", min: 0.01, max: 1 },
  {
    name: "max_length",
    label: "web.chat.max_length",
    help: "web.chat.max_length_help",
    min: 1,
    max: 1_000_000,
    isWhole: true,
  },
  { name: "repetition_penalty", label: "web.chat.penalty", help: "web.chat.penalty_help", min: 0.01, max: 100 },
] as const
const LARGEST_SEED = 2 ** 32 - 2 // of llama.cpp, which takes 32 bits

/** How the answers of all columns are chosen; folded, its values in one line. */
export function Decoding({ mode }: { mode: Mode }) {
  const t = useText()
  const language = useLanguage()
  const { options, isMarking } = useOptions()
  const values = NUMBERS.map(({ name, label }) => `${t(label)} ${options[name].toLocaleString(language)}`)
  const seed = options.seed === null ? [] : [`${t("web.chat.seed")} ${options.seed}`]
  const system = options.system.trim() === "" ? [] : [t("web.chat.with_system")]
  return (
    <Sheet className="py-0">
      <details className="group">
        <summary className="-mx-4 flex items-start gap-2 rounded-large px-4 py-2.5 text-14">
          <span className="pt-0.5 text-ink-2 group-open:rotate-180">
            <Icon name="down" />
          </span>
          <span className="flex flex-wrap items-baseline gap-x-2">
            <b>{t("web.chat.decoding")}</b>
            <span className="text-s text-ink-2 group-open:hidden">
              <Dotted words={[...values, ...seed, ...(mode === "chat" ? system : [])]} />
            </span>
          </span>
        </summary>
        <div className="grid gap-4 pb-4 md:grid-cols-2 lg:grid-cols-4">
          {NUMBERS.map(({ name, label, help, ...limits }) => (
            <NumberField
              key={name}
              label={t(label)}
              help={t(help)}
              value={options[name]}
              onValue={(value) => changeOptions({ [name]: value })}
              {...limits}
            />
          ))}
          <NumberField
            label={t("web.chat.seed")}
            help={t("web.chat.seed_help")}
            placeholder={t("web.chat.seed_none")}
            value={options.seed}
            onValue={(seed) => changeOptions({ seed })}
            min={0}
            max={LARGEST_SEED}
            isWhole
          />
          {mode === "chat" ? (
            <div className="lg:col-span-3">
              <Field
                label={t("web.chat.system")}
                help={t("web.chat.system_help")}
                control={(ids) => (
                  <textarea
                    {...ids}
                    rows={1}
                    className={`${INPUT} field-sizing-content max-h-40 resize-none`}
                    value={options.system}
                    onChange={(event) => changeOptions({ system: event.target.value })}
                  />
                )}
              />
            </div>
          ) : null}
          <div className="col-span-full flex flex-wrap items-start justify-between gap-3">
            <Checkbox
              label={t("web.chat.marking")}
              help={t("web.chat.marking_help")}
              checked={isMarking}
              onChange={(event) => useOptions.setState({ isMarking: event.target.checked })}
            />
            <Button look="quiet" onClick={() => changeOptions(DEFAULTS)}>
              {t("web.chat.defaults")}
            </Button>
          </div>
        </div>
      </details>
    </Sheet>
  )
}
