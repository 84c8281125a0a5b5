/** A choice of two to four that is seen at once. */
export function Segmented<Value extends string>({
  label,
  value,
  options,
  onValue,
}: {
  label: string
  value: Value
  options: readonly { value: Value; name: string }[]
  onValue: (value: Value) => void
}) {
  return (
    <fieldset className="inline-flex rounded-medium bg-sunk p-0.5 text-s">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onValue(option.value)}
          className="min-h-7 whitespace-nowrap rounded-small px-2.5 text-ink-2 aria-pressed:bg-sheet aria-pressed:text-ink aria-pressed:shadow-sheet"
        >
          {option.name}
        </button>
      ))}
    </fieldset>
  )
}
