import { useMutation, useQueryClient } from "@tanstack/react-query"
import { datasetKeys, datasetQueries, type RepairRequest, repairDataset, restoreDataset } from "@/api/datasets"
import { trainingKeys } from "@/api/training"
import { toast } from "@/components/ui/toast"
import { type TextKey, useText } from "@/lib/text"
import { useSayError } from "./say-error"

/** The words for what repairs a dataset as a whole. */
export const REPAIRS: Readonly<Record<string, TextKey>> = {
  drop_invalid: "web.dataset.drop_invalid",
  deduplicate: "web.dataset.deduplicate",
  keep_chosen: "web.dataset.keep_chosen",
}

/** Changes a dataset as a whole, as it is now; what was done is said, and can be taken back. */
export function useRepair(id: string) {
  const t = useText()
  const client = useQueryClient()
  const refresh = () => {
    client.invalidateQueries({ queryKey: datasetKeys.one(id) })
    client.invalidateQueries({ queryKey: datasetKeys.list })
    client.invalidateQueries({ queryKey: trainingKeys.plans })
  }
  const restore = useMutation({
    mutationFn: ({ now, before }: { now: number; before: number }) => restoreDataset(id, now, before),
    onSuccess: refresh,
    onError: useSayError(),
  })
  return useMutation({
    mutationFn: async (wish: Omit<RepairRequest, "version">) => {
      const before = await client.ensureQueryData(datasetQueries.one(id))
      return { before, after: await repairDataset(id, { ...wish, version: before.version }) }
    },
    onSuccess: ({ before, after }) => {
      refresh()
      const words = t("web.dataset.repaired", { before: before.num_examples, after: after.num_examples })
      toast(words, { undo: () => restore.mutate({ now: after.version, before: before.version }) })
    },
  })
}
