import { Link } from "@tanstack/react-router"
import { useState } from "react"
import type { Export, ExportCheck, ExportFile } from "@/api/exports"
import { buttonClass } from "@/components/ui/button"
import { Select } from "@/components/ui/field"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { nameOf, stateOf, verdictOf, wordsOf, worstCheck } from "../checks"
import { CheckMark, VerdictChip } from "./verdict"

/** What was checked of a file and what was found: one line for each check, and what to do where it is not whole. */
export function Certificate({ export: made }: { export: Export }) {
  const t = useText()
  const [chosen, setChosen] = useState<string | null>(null)
  const checked = made.files.filter(({ checks }) => checks.length > 0)
  const shown = checked.find(({ file }) => file === (chosen ?? firstShown(checked, made))) ?? checked[0]
  if (!shown) return null
  return (
    <Sheet title={t("web.exports.certificate")} aside={<VerdictChip verdict={verdictOf(shown)} />}>
      {checked.length > 1 ? (
        <div className="mb-3 max-w-80">
          <Select label={t("web.exports.file")} value={shown.file} onChange={(event) => setChosen(event.target.value)}>
            {checked.map(({ file }) => (
              <option key={file}>{file}</option>
            ))}
          </Select>
        </div>
      ) : null}
      <ul className="grid gap-2.5">
        {shown.checks.map((check) => (
          <CheckLine key={check.check} check={check} />
        ))}
      </ul>
      <Repair file={shown} made={made} />
    </Sheet>
  )
}

/** Returns the file to look at first: one that has failed, else the one that is used. */
function firstShown(files: readonly ExportFile[], { model_file: used }: Export): string | null {
  return files.find(({ verdict }) => verdict === "failed")?.file ?? used
}

function CheckLine({ check }: { check: ExportCheck }) {
  const t = useText()
  const state = stateOf(check)
  return (
    <li className="flex gap-2.5 text-14">
      <CheckMark state={state} />
      <div className="min-w-0">
        <p className="font-semibold">{nameOf(check, t)}</p>
        <p className={state === "good" ? "text-s text-ink-2" : "text-s"}>{wordsOf(check, t)}</p>
      </div>
    </li>
  )
}

const FINER = ["Q8_0", "F16"] as const

/** What to do about a file that is not whole. */
function Repair({ file, made }: { file: ExportFile; made: Export }) {
  const t = useText()
  const verdict = verdictOf(file)
  const check = worstCheck(file)
  if (!check || verdict === "verified" || verdict === null) return null
  const finer = FINER.find((name) => !made.quantizations?.includes(name))
  const search = { job: made.job_id ?? undefined, quantization: verdict === "lossy" ? finer : undefined }
  return (
    <div
      className={`mt-4 grid justify-items-start gap-2 border-l-3 pl-3 ${verdict === "failed" ? "border-bad" : "border-warn"}`}
    >
      <p className="text-14">{t(`web.exports.repair.${verdict}`)}</p>
      <Link to="/exports/new" search={search} className={buttonClass()}>
        {search.quantization
          ? t("web.exports.export_as", { name: search.quantization })
          : t("web.exports.export_again")}
      </Link>
    </div>
  )
}
