import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type PlanRequest, trainingQueries } from "@/api/training"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { useText } from "@/lib/text"
import { RECIPE_FILE, recipeAddress } from "../recipe-file"

/** Saves the form as a recipe, which it reads again. */
export function SaveRecipe({ request }: { request: PlanRequest | null }) {
  const t = useText()
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: (wish: PlanRequest) => client.fetchQuery(trainingQueries.recipe(wish)),
    onSuccess: (text) => {
      const link = document.createElement("a")
      Object.assign(link, { href: recipeAddress(text), download: RECIPE_FILE })
      link.click()
    },
    onError: (error) => toastError(error, t),
  })
  return (
    <Button disabled={request === null} isBusy={save.isPending} onClick={() => request && save.mutate(request)}>
      {t("web.recipe.save")}
    </Button>
  )
}
