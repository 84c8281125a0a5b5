import { useQuery } from "@tanstack/react-query"
import type { DatasetSummary } from "@/api/datasets"
import { jobQueries } from "@/api/jobs"
import { Select } from "@/components/ui/field"
import { NumberField } from "@/components/ui/number-field"
import { useText } from "@/lib/text"
import type { Replay } from "../wish"

const SHARE = 0.3 // of all rows, as where none is named
const [LEAST, MOST] = [1, 95] // percent

/** What was taught before and is mixed in, so that it is kept: data or a job that learned it, and how much of it. */
export function EarlierData({
  datasets,
  replay,
  onReplay,
}: {
  datasets: readonly DatasetSummary[]
  replay: Replay | null
  onReplay: (replay: Replay | null) => void
}) {
  const t = useText()
  const jobs = useQuery(jobQueries.list()).data?.items.filter(({ status }) => status === "succeeded") ?? []
  const choose = (source: string) => onReplay(source ? { source, share: replay?.share ?? SHARE } : null)
  return (
    <>
      <Select
        label={t("web.new_job.replay")}
        help={t("web.new_job.replay_help")}
        value={replay?.source ?? ""}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{t("web.new_job.no_replay")}</option>
        <optgroup label={t("web.page.datasets")}>
          {datasets.map(({ id, name, num_examples: count, ok }) => (
            <option key={id} value={id} disabled={!ok}>
              {t("web.new_job.dataset_option", { name, count })}
            </option>
          ))}
        </optgroup>
        {jobs.length > 0 ? (
          <optgroup label={t("web.new_job.replay_jobs")}>
            {jobs.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </optgroup>
        ) : null}
      </Select>
      {replay ? (
        <NumberField
          label={t("web.new_job.replay_share")}
          help={t("web.new_job.replay_share_help")}
          value={Math.round(replay.share * 100)}
          min={LEAST}
          max={MOST}
          isWhole
          onValue={(percent) => onReplay({ ...replay, share: (percent ?? SHARE * 100) / 100 })}
        />
      ) : null}
    </>
  )
}
