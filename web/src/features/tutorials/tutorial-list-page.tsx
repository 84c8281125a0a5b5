import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type Tutorial, tutorialQueries } from "@/api/tutorials"
import { Page } from "@/components/layout/page"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Progress } from "@/components/ui/progress"
import { Sheet } from "@/components/ui/sheet"
import { useLanguage, useText } from "@/lib/text"

/** The levels of the course, and how far each is in this workspace. */
export function TutorialListPage() {
  const t = useText()
  const lessons = useQuery(tutorialQueries.list(useLanguage()))
  return (
    <Page title={t("web.page.tutorials")} under={t("web.tutorials.words")}>
      <QueryView query={lessons} isOnDesk lines={8}>
        {({ items }) => (
          <div className="grid items-start gap-4 md:grid-cols-2 lg:grid-cols-3">
            {items.map((lesson) => (
              <LevelCard key={lesson.level} lesson={lesson} isNext={lesson === items.find(isOpen)} />
            ))}
          </div>
        )}
      </QueryView>
    </Page>
  )
}

function isOpen({ num_done: done, num_steps: total }: Tutorial): boolean {
  return done < total
}

function LevelCard({ lesson, isNext }: { lesson: Tutorial; isNext: boolean }) {
  const t = useText()
  const { level, title, minutes, num_steps: total, num_done: done, num_differing: differing } = lesson
  const isDone = !isOpen(lesson)
  return (
    <Sheet title={title}>
      <div className="grid gap-3">
        <p className="text-14 text-ink-2">{t("web.tutorials.minutes", { minutes })}</p>
        <Progress label={t("web.tutorials.progress_of", { title })} percent={(100 * done) / total} />
        <p className="text-14">
          {isDone ? t("web.tutorials.finished") : t("web.tutorials.steps_done", { done, total })}
          {differing > 0 ? (
            <span className="ml-2 text-warn">{t("web.tutorials.num_differing", { count: differing })}</span>
          ) : null}
        </p>
        <Link
          to="/tutorials/$level"
          params={{ level: String(level) }}
          className={buttonClass(isNext ? "main" : "plain", "justify-self-start")}
        >
          {t(isDone ? "web.tutorials.again" : done === 0 ? "web.tutorials.begin" : "web.tutorials.go_on")}
        </Link>
      </div>
    </Sheet>
  )
}
