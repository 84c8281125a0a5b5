import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { ollamaKeys, ollamaQueries, pullModel } from "@/api/ollama"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"

/** Has Ollama download a model; where no Ollama answers, the command that does it later. */
export function GetModel({ name }: { name: string }) {
  const t = useText()
  const client = useQueryClient()
  const server = useQuery(ollamaQueries.server()).data
  const pull = useMutation({
    mutationFn: () => pullModel(name),
    onSuccess: () => {
      toast(t("web.models.pulling", { name }))
      client.invalidateQueries({ queryKey: ollamaKeys.downloads })
    },
    onError: (error) => toastError(error, t),
  })
  if (!server?.version) return <code className="font-mono text-xs text-ink-2">{`ollama pull ${name}`}</code>
  const isThere = server.models.some((model) => model.name === name || model.name === `${name}:latest`)
  if (isThere) return <span className="text-s text-good">{t("web.models.is_here")}</span>
  return (
    <Button isBusy={pull.isPending} aria-label={t("web.models.pull_named", { name })} onClick={() => pull.mutate()}>
      {t("web.models.pull")}
    </Button>
  )
}
