import { type ComponentProps, type ReactNode, useId } from "react"

export const INPUT =
  "w-full min-h-9.5 rounded-medium border border-line-strong bg-sheet text-ellipsis px-2.5 py-1.5 text-ink placeholder:text-ink-3 aria-invalid:border-bad"

export interface FieldWords {
  label: ReactNode
  help?: ReactNode
  error?: ReactNode
  /** What stands behind the label, such as a mark of a changed value. */
  mark?: ReactNode
}

/** A label over a control, its help and its error; `control` gets the ids that tie them together. */
export function Field({
  label,
  help,
  error,
  mark,
  control,
}: FieldWords & {
  control: (ids: {
    id: string
    "aria-describedby": string | undefined
    "aria-invalid": boolean | undefined
  }) => ReactNode
}) {
  const id = useId()
  const note = error ?? help
  return (
    <div className="min-w-0">
      <div className="flex items-center gap-1.5 text-s text-ink-2">
        <label htmlFor={id}>{label}</label>
        {mark}
      </div>
      {control({ id, "aria-describedby": note ? `${id}-note` : undefined, "aria-invalid": error ? true : undefined })}
      {note ? (
        <p id={`${id}-note`} className={`mt-0.5 text-xs ${error ? "text-bad" : "text-ink-3"}`}>
          {note}
        </p>
      ) : null}
    </div>
  )
}

/** One line of text. */
export function TextField({ label, help, error, mark, ...rest }: FieldWords & ComponentProps<"input">) {
  return (
    <Field
      {...{ label, help, error, mark }}
      control={(ids) => <input {...ids} type="text" autoComplete="off" className={INPUT} {...rest} />}
    />
  )
}

/** A choice of a few; the browser's own list, which works everywhere and on phones. */
export function Select({ label, help, error, mark, children, ...rest }: FieldWords & ComponentProps<"select">) {
  return (
    <Field
      {...{ label, help, error, mark }}
      control={(ids) => (
        <select {...ids} className={INPUT} {...rest}>
          {children}
        </select>
      )}
    />
  )
}

/** A choice between yes and no, its words beside it. */
export function Checkbox({ label, help, mark, ...rest }: Omit<FieldWords, "error"> & ComponentProps<"input">) {
  const id = useId()
  return (
    <div className="flex min-w-0 items-start gap-2">
      <input
        id={id}
        type="checkbox"
        aria-describedby={help ? `${id}-note` : undefined}
        className="mt-1 size-4 flex-none accent-accent"
        {...rest}
      />
      <div className="min-w-0">
        <div className="flex items-center gap-1.5 text-14">
          <label htmlFor={id}>{label}</label>
          {mark}
        </div>
        {help ? (
          <p id={`${id}-note`} className="text-xs text-ink-3">
            {help}
          </p>
        ) : null}
      </div>
    </div>
  )
}
