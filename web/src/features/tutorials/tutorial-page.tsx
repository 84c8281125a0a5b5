import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link, useParams } from "@tanstack/react-router"
import { markStep, type TutorialDetail, tutorialKeys, tutorialQueries } from "@/api/tutorials"
import { Page } from "@/components/layout/page"
import { QueryView } from "@/components/states/query-view"
import { toastError } from "@/components/states/toast-error"
import { Sheet } from "@/components/ui/sheet"
import { useLanguage, useText } from "@/lib/text"
import { LessonText } from "./components/lesson-text"
import { LessonStep } from "./components/step"
import { StepList } from "./components/step-list"

/** One level: its text at the left, how far each step is beside it; the workspace itself says what is done. */
export function TutorialPage() {
  const t = useText()
  const level = Number(useParams({ from: "/tutorials/$level" }).level)
  const lesson = useQuery(tutorialQueries.one(level, useLanguage()))
  return (
    <Page
      title={lesson.data?.title ?? t("web.page.tutorials")}
      over={<Link to="/tutorials">{t("web.page.tutorials")}</Link>}
      under={lesson.data ? t("web.tutorials.minutes", { minutes: lesson.data.minutes }) : null}
    >
      <QueryView query={lesson} isOnDesk lines={12}>
        {(found) => <Lesson lesson={found} isChecking={lesson.isFetching} onCheck={() => lesson.refetch()} />}
      </QueryView>
    </Page>
  )
}

function Lesson({ lesson, isChecking, onCheck }: { lesson: TutorialDetail; isChecking: boolean; onCheck: () => void }) {
  const t = useText()
  const mark = useMark(lesson.level)
  const next = lesson.steps.find(({ state }) => state !== "done")?.id
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_280px]">
      <StepList steps={lesson.steps} next={next} />
      <div className="grid min-w-0 gap-4 lg:col-start-1 lg:row-start-1">
        <Sheet>
          <LessonText text={lesson.intro} />
        </Sheet>
        {lesson.steps.map((step, index) => (
          <LessonStep
            key={step.id}
            number={index + 1}
            step={step}
            level={lesson.level}
            dataset={lesson.dataset}
            isChecking={isChecking}
            onCheck={onCheck}
            onMark={(isDone) => mark.mutate({ id: step.id, isDone })}
          />
        ))}
        {next === undefined ? (
          <Sheet title={t("web.tutorials.finished")}>
            <Link to="/tutorials" className="font-semibold text-accent hover:underline">
              {t("web.tutorials.to_list")}
            </Link>
          </Sheet>
        ) : null}
      </div>
    </div>
  )
}

function useMark(level: number) {
  const t = useText()
  const client = useQueryClient()
  const language = useLanguage()
  return useMutation({
    mutationFn: ({ id, isDone }: { id: string; isDone: boolean }) => markStep(level, id, isDone),
    onSuccess: (lesson) => {
      client.setQueryData(tutorialKeys.one(level, language), lesson)
      client.invalidateQueries({ queryKey: tutorialKeys.all })
    },
    onError: (error) => toastError(error, t),
  })
}
