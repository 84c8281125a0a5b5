import { useMutation } from "@tanstack/react-query"
import { useState } from "react"
import { type RecipeWish, readRecipe } from "@/api/training"
import { Failed } from "@/components/states/failed"
import { Button, buttonClass } from "@/components/ui/button"
import { Dialog } from "@/components/ui/dialog"
import { Field, INPUT } from "@/components/ui/field"
import { useText } from "@/lib/text"

const PASTED = "recipe.yaml"

/** A recipe from a file, or pasted, becomes what the form holds. */
export function RecipeDialog({
  isOpen,
  onClose,
  onRead,
}: {
  isOpen: boolean
  onClose: () => void
  onRead: (recipe: RecipeWish) => void
}) {
  const t = useText()
  const [text, setText] = useState("")
  const read = useMutation({
    mutationFn: ({ content, name }: { content: string; name: string }) => readRecipe(content, name),
    onSuccess: (recipe) => {
      onRead(recipe)
      onClose()
    },
  })
  const readFile = async (file: File | undefined) => {
    if (file) read.mutate({ content: await file.text(), name: file.name })
  }
  return (
    <Dialog
      title={t("web.recipe.load")}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <Button
          look="main"
          disabled={text.trim() === ""}
          isBusy={read.isPending}
          onClick={() => read.mutate({ content: text, name: PASTED })}
        >
          {t("web.recipe.use")}
        </Button>
      }
    >
      <div className="grid gap-4">
        <p className="text-14 text-ink-2">{t("web.recipe.words")}</p>
        <label
          className={buttonClass("plain", "justify-self-start focus-within:outline-2 focus-within:outline-accent")}
        >
          {t("web.recipe.choose")}
          <input
            type="file"
            accept=".yaml,.yml,.json"
            className="sr-only"
            onChange={(event) => {
              readFile(event.target.files?.[0])
              event.target.value = "" // the same file can be chosen again once it was mended
            }}
          />
        </label>
        <Field
          label={t("web.recipe.paste")}
          control={(ids) => (
            <textarea
              {...ids}
              rows={8}
              spellCheck={false}
              className={`${INPUT} font-mono text-s`}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        />
        {read.isError ? <Failed error={read.error} /> : null}
      </div>
    </Dialog>
  )
}
