import { type Export, type ExportFile, fileAddress } from "@/api/exports"
import { LongName } from "@/components/ui/long-name"
import { type Column, Table } from "@/components/ui/table"
import { formatBytes, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { factsOf, measuredOf, verdictOf } from "../checks"
import { VerdictChip } from "./verdict"

/** The files of an export: how large, how near to the trained model, what was kept, and what each is worth. */
export function FileTable({ export: made }: { export: Export }) {
  const t = useText()
  const language = useLanguage()
  const columns: Column<ExportFile>[] = [
    { name: t("web.files.name"), cell: (file) => <Name file={file} made={made} /> },
    {
      name: t("web.files.size"),
      cell: (file) => formatBytes(file.size_bytes, language),
      isNumber: true,
    },
    {
      name: t("web.exports.kl"),
      cell: (file) => formatLoss(measuredOf(file, "logprobs", "kl")),
      isNumber: true,
    },
    { name: t("web.exports.facts"), cell: (file) => <Facts file={file} />, isNumber: true },
    { name: t("web.exports.verdict"), cell: (file) => <VerdictChip verdict={verdictOf(file)} /> },
  ]
  return (
    <Table caption={t("web.exports.files")} columns={columns} rows={made.files} keyOf={({ file }) => file} isStacked />
  )
}

function Name({ file, made }: { file: ExportFile; made: Export }) {
  const t = useText()
  return (
    <>
      <a href={fileAddress(made.id, file.file)} download className="text-accent underline underline-offset-3">
        <LongName>{file.file}</LongName>
      </a>
      {file.file === made.model_file ? (
        <span className="block text-s text-ink-2">{t("web.exports.chosen")}</span>
      ) : null}
    </>
  )
}

function Facts({ file }: { file: ExportFile }) {
  const facts = factsOf(file)
  return facts ? `${facts.kept} / ${facts.known}` : "–"
}
