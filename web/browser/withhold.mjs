const PROBLEMS = {
  ja: {
    detail: "データベースに書き込めません。 空きは 12 MB です。",
    hint: "不要なファイルを消して、もう一度お試しください。",
  },
  en: { detail: "The database cannot be written. 12 MB are free.", hint: "Delete what is not needed and try again." },
}
export const CODE = "database_full"

/** Answers what a page asks for with an error, or never; the texts of the page itself come. */
export function withhold(page, language, isAnswered) {
  return page.route("**/api/**", async (route) => {
    if (!isAnswered) return // the page keeps waiting
    return route.fulfill({
      status: 507,
      json: { status: 507, code: CODE, ...PROBLEMS[language] },
      contentType: "application/problem+json",
    })
  })
}
