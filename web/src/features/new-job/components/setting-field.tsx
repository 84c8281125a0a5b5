import { useState } from "react"
import type { Setting } from "@/api/training"
import { Checkbox, Select, TextField } from "@/components/ui/field"
import { NumberField } from "@/components/ui/number-field"
import { type TextKey, useText } from "@/lib/text"
import { kindOf, parseList } from "../form-fields"
import { idOf } from "../show-setting"

export interface SettingFieldProps {
  name: string
  setting: Setting
  /** What will be used: chosen, or recommended. */
  value: unknown
  isChosen: boolean
  onChange: (value: unknown) => void
  error?: string
}

/** One setting as the schema describes it, with its help, and a way back to what is recommended. */
export function SettingField(props: SettingFieldProps) {
  return (
    <div id={idOf(props.name)} className="min-w-0 scroll-mt-17">
      <Control {...props} />
    </div>
  )
}

function Control(props: SettingFieldProps) {
  const t = useText()
  const { name, setting, value, isChosen, onChange, error } = props
  const words = {
    label: t(`web.field.${name}` as TextKey),
    help: t(`config.${name}` as TextKey),
    mark: isChosen ? <Reset onReset={() => onChange(undefined)} /> : null,
    error,
  }
  const kind = kindOf(setting)
  if (kind.kind === "number") {
    const { min, max, isWhole, isOptional } = kind
    return (
      <NumberField
        {...words}
        {...{ min, max, isWhole }}
        value={typeof value === "number" ? value : null}
        placeholder={isOptional ? t("web.field.none") : undefined}
        onValue={(next) => onChange(next ?? undefined)}
      />
    )
  }
  if (kind.kind === "switch") {
    return <Checkbox {...words} checked={value === true} onChange={(event) => onChange(event.target.checked)} />
  }
  if (kind.kind === "choice") {
    return (
      <Select {...words} value={String(value)} onChange={(event) => onChange(event.target.value)}>
        {kind.options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </Select>
    )
  }
  return <WordsField {...props} words={words} isList={kind.kind === "list"} />
}

function WordsField({
  value,
  onChange,
  words,
  isList,
}: SettingFieldProps & { words: Parameters<typeof TextField>[0]; isList: boolean }) {
  const [typed, setTyped] = useState<string | null>(null)
  const known = Array.isArray(value) ? value.join(", ") : ((value as string | null) ?? "")
  const read = (text: string) => {
    setTyped(null)
    const parts = parseList(text)
    const isWord = parts.length === 1 && parts[0] === "all-linear"
    onChange(text.trim() === "" ? undefined : !isList || isWord ? text.trim() : parts)
  }
  return (
    <TextField
      {...words}
      value={typed ?? known}
      onInput={(event) => setTyped(event.currentTarget.value)} // unlike onChange also for the value that is shown
      onBlur={(event) => typed !== null && read(event.target.value)}
    />
  )
}

function Reset({ onReset }: { onReset: () => void }) {
  const t = useText()
  return (
    <>
      <i className="size-1.5 rounded-full bg-accent" />
      <button type="button" className="text-xs text-accent underline underline-offset-3" onClick={onReset}>
        {t("web.field.reset")}
      </button>
    </>
  )
}
