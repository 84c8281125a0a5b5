import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { useId, useRef, useState } from "react"
import { datasetKeys } from "@/api/datasets"
import { uploadFile } from "@/api/uploads"
import { Failed } from "@/components/states/failed"
import { Button, buttonClass } from "@/components/ui/button"
import { Dialog } from "@/components/ui/dialog"
import { Field, INPUT, Select, TextField } from "@/components/ui/field"
import { Icon } from "@/components/ui/icon"
import { Progress } from "@/components/ui/progress"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { TYPES, useTypeName } from "./type-name"

/** A file, or pasted rows, becomes a dataset: what it is called, what is in it, and how far it has arrived. */
export function UploadDialog({
  file: given,
  isOpen,
  onClose,
}: {
  file: File | null
  isOpen: boolean
  onClose: () => void
}) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const typeName = useTypeName()
  const [file, setFile] = useState(given)
  const [pasted, setPasted] = useState("")
  const [name, setName] = useState("")
  const [description, setDescription] = useState("")
  const [type, setType] = useState("")
  const [arrived, setArrived] = useState(0)
  const stop = useRef<AbortController | null>(null)
  const source = file ?? fileOf(pasted)

  const upload = useMutation({
    mutationFn: (chosen: File) => {
      stop.current = new AbortController()
      const about = { name: name.trim() || null, description, type: type || null }
      return uploadFile(chosen, about, setArrived, stop.current.signal)
    },
    onSuccess: ({ id, ok }) => {
      client.invalidateQueries({ queryKey: datasetKeys.list })
      close()
      navigate({ to: "/datasets/$datasetId", params: { datasetId: id }, search: { tab: ok ? "rows" : "check" } })
    },
  })
  const close = () => {
    stop.current?.abort()
    setFile(null)
    setPasted("")
    setName("")
    upload.reset()
    onClose()
  }

  return (
    <Dialog
      title={t("web.datasets.upload")}
      isOpen={isOpen}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>{t("web.cancel")}</Button>
          <Button
            look="main"
            isBusy={upload.isPending}
            disabled={source === null}
            onClick={() => source && upload.mutate(source)}
          >
            {t("web.upload.start")}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <FileChoice file={file} onFile={setFile} />
        {file ? null : (
          <Field
            label={t("web.upload.paste")}
            help={t("web.upload.paste_help")}
            control={(ids) => (
              <textarea
                {...ids}
                rows={4}
                value={pasted}
                onChange={(event) => setPasted(event.target.value)}
                className={`${INPUT} font-mono text-s`}
              />
            )}
          />
        )}
        <TextField
          label={t("web.datasets.name")}
          placeholder={source ? stemOf(source.name) : ""}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
        />
        <TextField
          label={t("web.datasets.description")}
          value={description}
          maxLength={2000}
          onChange={(event) => setDescription(event.target.value)}
        />
        <Select
          label={t("web.datasets.type")}
          help={t("web.upload.type_help")}
          value={type}
          onChange={(event) => setType(event.target.value)}
        >
          <option value="">{t("web.upload.type_found")}</option>
          {Object.keys(TYPES).map((one) => (
            <option key={one} value={one}>
              {typeName(one)}
            </option>
          ))}
        </Select>
        {upload.isPending && source ? <Arrival arrived={arrived} size={source.size} /> : null}
        {upload.isError ? <Failed error={upload.error} onRetry={() => source && upload.mutate(source)} /> : null}
      </div>
    </Dialog>
  )
}

function FileChoice({ file, onFile }: { file: File | null; onFile: (file: File | null) => void }) {
  const t = useText()
  const language = useLanguage()
  const [isOver, setIsOver] = useState(false)
  const id = useId()
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way, the field inside is the other
    <div
      className={`grid justify-items-center gap-2 rounded-medium border border-dashed p-5 text-center text-14 ${isOver ? "border-accent bg-accent-soft" : "border-line-strong"}`}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        event.stopPropagation()
        setIsOver(false)
        onFile(event.dataTransfer.files[0] ?? null)
      }}
    >
      <span id={`${id}-field`} className="justify-self-start text-s text-ink-2">
        {t("web.upload.file")}
      </span>
      <Icon name="upload" size={24} />
      {file ? (
        <p className="font-semibold">
          {file.name} <span className="font-normal text-ink-2">{formatBytes(file.size, language)}</span>
        </p>
      ) : (
        <p className="text-ink-2">{t("web.upload.drop")}</p>
      )}
      <label className={buttonClass("plain", "focus-within:outline-2 focus-within:outline-accent")}>
        <span id={`${id}-button`}>{t(file ? "web.upload.other_file" : "web.upload.choose")}</span>
        <input
          type="file"
          aria-labelledby={`${id}-field ${id}-button`}
          className="sr-only"
          accept=".jsonl,.json,.csv,.tsv,.txt"
          onChange={(event) => onFile(event.target.files?.[0] ?? null)}
        />
      </label>
      <p className="text-xs text-ink-3">{t("web.upload.formats")}</p>
    </div>
  )
}

function Arrival({ arrived, size }: { arrived: number; size: number }) {
  const t = useText()
  const language = useLanguage()
  const isChecking = arrived >= size
  return (
    <div className="grid gap-1">
      <Progress label={t("web.upload.progress")} percent={isChecking ? null : (100 * arrived) / Math.max(1, size)} />
      <p className="text-s text-ink-2">
        {isChecking
          ? t("web.upload.checking")
          : t("web.upload.arrived", { arrived: formatBytes(arrived, language), size: formatBytes(size, language) })}
      </p>
    </div>
  )
}

/** Returns pasted rows as a file whose name says what they look like; null for nothing. */
function fileOf(pasted: string): File | null {
  const text = pasted.trim()
  if (!text) return null
  const ending = text.startsWith("{") ? "jsonl" : text.startsWith("[") ? "json" : text.includes("\t") ? "tsv" : "csv"
  return new File([text, "\n"], `pasted.${ending}`)
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]+$/, "")
}
