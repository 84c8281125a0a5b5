import { useQuery } from "@tanstack/react-query"
import { type Export, exportQueries, fileAddress } from "@/api/exports"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { CopyButton, CopyCommand } from "@/components/ui/copy"
import { Listing } from "@/components/ui/listing"
import { Sheet } from "@/components/ui/sheet"
import { useText } from "@/lib/text"
import { Registration } from "./registration"

/** How the chosen file is used in Ollama: registered here, or taken elsewhere with its Modelfile. */
export function UseIt({ export: made, file }: { export: Export; file: string }) {
  const t = useText()
  return (
    <Sheet title={t("web.exports.use")}>
      <Registration export={made} />
      <details className="mt-4 border-t pt-3 text-14">
        <summary className="w-fit text-accent">{t("web.exports.elsewhere")}</summary>
        <Elsewhere export={made} file={file} />
      </details>
    </Sheet>
  )
}

function Elsewhere({ export: made, file }: { export: Export; file: string }) {
  const t = useText()
  const modelfile = useQuery(exportQueries.modelfile(made.id))
  const name = made.ollama_name
  return (
    <div className="mt-2 grid grid-cols-1 gap-4 [&>*]:min-w-0">
      <p className="text-14 text-ink-2">{t("web.exports.use_words")}</p>
      <div className="flex flex-wrap gap-2">
        <a href={fileAddress(made.id, file)} download className={buttonClass("main")}>
          {file}
        </a>
        <a href={fileAddress(made.id, "Modelfile")} download className={buttonClass()}>
          {/* the name that Ollama gives this file */}
          <code>{MODELFILE}</code>
        </a>
      </div>
      <CopyCommand label={t("web.exports.create")} command={`ollama create ${name} -f Modelfile`} />
      <CopyCommand label={t("web.exports.run")} command={`ollama run ${name}`} />
      <details className="text-14">
        <summary className="w-fit text-ink-2">{t("web.exports.modelfile")}</summary>
        <QueryView query={modelfile}>
          {(text) => (
            <div className="mt-2 grid gap-1">
              <Listing text={text} isShort />
              <span className="justify-self-end">
                <CopyButton text={text} />
              </span>
            </div>
          )}
        </QueryView>
      </details>
    </div>
  )
}

const MODELFILE = "Modelfile"
