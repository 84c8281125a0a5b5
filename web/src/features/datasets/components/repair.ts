import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type Dataset, datasetKeys, type RepairRequest, repairDataset, restoreDataset } from "@/api/datasets"
import { toast } from "@/components/ui/toast"
import { useText } from "@/lib/text"

/** Changes a dataset as a whole; what was done is said, and can be taken back. */
export function useRepair(dataset: Dataset) {
  const t = useText()
  const client = useQueryClient()
  const refresh = () => {
    client.invalidateQueries({ queryKey: datasetKeys.one(dataset.id) })
    client.invalidateQueries({ queryKey: datasetKeys.list })
  }
  const restore = useMutation({
    mutationFn: (version: number) => restoreDataset(dataset.id, version, dataset.version),
    onSuccess: refresh,
  })
  return useMutation({
    mutationFn: (wish: Omit<RepairRequest, "version">) =>
      repairDataset(dataset.id, { ...wish, version: dataset.version }),
    onSuccess: (repaired) => {
      refresh()
      const words = t("web.dataset.repaired", { before: dataset.num_examples, after: repaired.num_examples })
      toast(words, { undo: () => restore.mutate(repaired.version) })
    },
  })
}
