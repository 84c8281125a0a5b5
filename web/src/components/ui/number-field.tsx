import { useState } from "react"
import { isEnter } from "@/lib/keys"
import { parseNumber, writeNumber } from "@/lib/number"
import { useText } from "@/lib/text"
import { Field, type FieldWords, INPUT } from "./field"

interface Limits {
  min?: number
  max?: number
  isWhole?: boolean
}

/** A number, also typed with full-width digits or grouping; it is read when the field is left. */
export function NumberField({
  value,
  onValue,
  min,
  max,
  isWhole = false,
  placeholder,
  error,
  ...words
}: FieldWords & Limits & { value: number | null; onValue: (value: number | null) => void; placeholder?: string }) {
  const t = useText()
  const [typed, setTyped] = useState<string | null>(null)
  const [isWrong, setIsWrong] = useState(false)

  const read = (text: string) => {
    const number = parseNumber(text)
    const isEmpty = text.trim() === ""
    const wrong = !isEmpty && (number === null || !fits(number, { min, max, isWhole }))
    setIsWrong(wrong)
    if (!wrong) onValue(isEmpty ? null : number)
    if (!wrong) setTyped(null)
  }
  return (
    <Field
      {...words}
      error={isWrong ? t("web.number.wrong", { limits: limitWords(t, { min, max, isWhole }) }) : error}
      control={(ids) => (
        <input
          {...ids}
          type="text"
          inputMode="decimal"
          autoComplete="off"
          className={`${INPUT} text-right`}
          placeholder={placeholder}
          value={typed ?? (value === null ? "" : writeNumber(value))}
          onInput={(event) => setTyped(event.currentTarget.value)} // unlike onChange also for the value that is shown
          onBlur={(event) => typed !== null && read(event.target.value)}
          onKeyDown={(event) => isEnter(event.nativeEvent) && read(event.currentTarget.value)}
        />
      )}
    />
  )
}

/** Tells whether a number lies within limits. */
export function fits(value: number, { min, max, isWhole }: Limits): boolean {
  return (
    (min === undefined || value >= min) && (max === undefined || value <= max) && (!isWhole || Number.isInteger(value))
  )
}

function limitWords(t: ReturnType<typeof useText>, { min, max, isWhole }: Limits): string {
  const kind = t(isWhole ? "web.number.whole" : "web.number.any")
  if (min !== undefined && max !== undefined) return t("web.number.between", { kind, min, max })
  if (min !== undefined) return t("web.number.from", { kind, min })
  return max !== undefined ? t("web.number.to", { kind, max }) : kind
}
