import { type ReactNode, useState } from "react"
import { ApiError } from "@/api/error"
import { STATUSES } from "@/api/jobs"
import { Page } from "@/components/layout/page"
import { Empty } from "@/components/states/empty"
import { Failed } from "@/components/states/failed"
import { Button } from "@/components/ui/button"
import { Chart } from "@/components/ui/chart"
import { CopyCommand } from "@/components/ui/copy"
import { Dialog } from "@/components/ui/dialog"
import { Checkbox, Select, TextField } from "@/components/ui/field"
import { LongList } from "@/components/ui/long-list"
import { LongName } from "@/components/ui/long-name"
import { NumberField } from "@/components/ui/number-field"
import { Progress } from "@/components/ui/progress"
import { Segmented } from "@/components/ui/segmented"
import { Facts, Figures, Sheet } from "@/components/ui/sheet"
import { Skeleton } from "@/components/ui/skeleton"
import { StatusChip } from "@/components/ui/status-chip"
import { Table } from "@/components/ui/table"
import { TabLinks } from "@/components/ui/tabs"
import { toast } from "@/components/ui/toast"
import { smooth } from "@/lib/chart-math"
import { useText } from "@/lib/text"

const STEPS = Array.from({ length: 250 }, (_, index) => index + 1)
const LOSS = STEPS.map((step) => 0.4 + 2.8 * Math.exp(-step / 60) + 0.15 * Math.sin(step * 1.7))
const ERROR = new ApiError({ status: 409, code: "code", detail: "detail", hint: "hint", problems: ["problem"] })

/** Every component in its states, for who develops the page; it is not in the product. */
export function ComponentsPage() {
  const t = useText()
  const [isOpen, setIsOpen] = useState(false)
  const [number, setNumber] = useState<number | null>(0.0003)
  const [choice, setChoice] = useState<"a" | "b">("a")
  return (
    <Page title="_components" over="over" under="under" actions={<Button look="main">{t("web.retry")}</Button>}>
      <div className="grid gap-4">
        <Part name="Button">
          {(["main", "plain", "quiet", "danger"] as const).map((look) => (
            <span key={look} className="inline-flex gap-2">
              <Button look={look}>{look}</Button>
              <Button look={look} disabled>
                {look}
              </Button>
              <Button look={look} isBusy>
                {look}
              </Button>
            </span>
          ))}
        </Part>
        <Part name="Field">
          <TextField label="TextField" help="help" />
          <TextField label="TextField" error="error" defaultValue="value" />
          <NumberField label="NumberField" value={number} onValue={setNumber} min={0} max={1} help="help" />
          <Select label="Select" help="help">
            <option>option</option>
          </Select>
          <Checkbox label="Checkbox" help="help" defaultChecked />
          <Segmented
            label="Segmented"
            value={choice}
            onValue={setChoice}
            options={[
              { value: "a", name: "a" },
              { value: "b", name: "b" },
            ]}
          />
        </Part>
        <Part name="StatusChip">
          {STATUSES.map((status) => (
            <StatusChip key={status} job={{ status, kind: "train" }} />
          ))}
        </Part>
        <Part name="LongName">
          <span className="block w-40">
            <LongName>hub:Organisation/Some-Long-Model-135M-Instruct_v2</LongName>
          </span>
        </Part>
        <Part name="Progress">
          {[null, 0, 58, 100].map((percent) => (
            <div key={percent} className="w-60">
              <Progress label="progress" percent={percent} marks={[0.2, 0.4, 0.6, 0.8]} />
            </div>
          ))}
        </Part>
        <Part name="Figures · Facts">
          <div className="w-full">
            <Figures items={["a", "b", "c"].map((name) => ({ name, value: "0.52", unit: "MB" }))} />
          </div>
          <div className="w-72">
            <Facts items={["a", "b"].map((name) => ({ name, value: "1,204" }))} />
          </div>
        </Part>
        <Part name="Table">
          <Table
            caption="caption"
            rows={["one", "two"]}
            keyOf={(row) => row}
            columns={[
              { name: "name", cell: (row) => row },
              { name: "number", cell: (row) => row.length, isNumber: true },
            ]}
          />
        </Part>
        <Part name="LongList">
          <div>
            <LongList items={["one", "two", "three"]} most={2}>
              {(item) => <li key={item}>{item}</li>}
            </LongList>
          </div>
        </Part>
        <Part name="TabLinks">
          <TabLinks
            label="tabs"
            current="a"
            tabs={[
              { value: "a", name: "a" },
              { value: "b", name: "b", count: 1 },
            ]}
          />
        </Part>
        <Part name="Chart">
          <div className="w-full">
            <Chart
              title="loss"
              xName="step"
              x={STEPS}
              curves={[
                { name: "loss", values: LOSS, color: "accent", isFaint: true },
                { name: "smooth", values: smooth(LOSS, 0.9), color: "accent" },
              ]}
              marks={[50, 100, 150, 200].map((x, index) => ({ x, name: `${index + 1}` }))}
              band={{ low: 0.5, high: 1, name: "band" }}
            />
          </div>
        </Part>
        <Part name="Dialog · Toast · CopyCommand">
          <Button onClick={() => setIsOpen(true)}>Dialog</Button>
          <Button onClick={() => toast("toast", { undo: () => toast("undone") })}>toast</Button>
          <Button onClick={() => toast("toast", { tone: "bad" })}>toast bad</Button>
          <CopyCommand command="llmlora train nano data.jsonl" label="label" />
          <Dialog
            title="title"
            isOpen={isOpen}
            onClose={() => setIsOpen(false)}
            actions={<Button look="main">{t("web.close")}</Button>}
          >
            {"text ".repeat(60)}
          </Dialog>
        </Part>
        <Part name="Skeleton">
          <Skeleton className="w-full" />
        </Part>
        <Part name="Empty">
          <Empty words="words">
            <Button look="main">next</Button>
          </Empty>
        </Part>
        <Part name="Failed">
          <Failed error={ERROR} onRetry={() => {}} />
        </Part>
      </div>
    </Page>
  )
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Sheet title={name}>
      <div className="flex flex-wrap items-start gap-4">{children}</div>
    </Sheet>
  )
}
