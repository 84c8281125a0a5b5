import { useMutation } from "@tanstack/react-query"
import { checkModel, type Model } from "@/api/models"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"

/** Asks the server whether a name that is not in the list stands for a model here, and why it cannot be trained. */
export function CheckName({ name, known }: { name: string; known: readonly Model[] }) {
  const t = useText()
  const check = useMutation({ mutationFn: checkModel })
  if (name === "" || known.some((model) => model.name === name)) return null
  return (
    <div className="grid justify-items-start gap-2 pt-3">
      <Button isBusy={check.isPending} className="max-w-full whitespace-normal!" onClick={() => check.mutate(name)}>
        {t("web.models.check", { name })}
      </Button>
      <div aria-live="polite" className="text-14">
        {check.data ? (check.data.why_not ?? t("web.models.is_trainable", { name })) : null}
      </div>
      {check.isError ? <Failed error={check.error} /> : null}
    </div>
  )
}
