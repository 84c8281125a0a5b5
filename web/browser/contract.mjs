// node browser/contract.mjs ADDRESS: every tab, button, field and preset that a learner is told of stands on the page by that name.
import assert from "node:assert/strict"
import { launch, open, visit } from "./browser.mjs"

const PRESETS = ["推奨", "軽量 (r=4)", "バランス型 (r=8)", "高性能 (r=16)", "効率重視 (r=12)", "標準", "実験1", "実験2"]
const FIELDS = [
  "ランク",
  "アルファ",
  "ドロップアウト",
  "対象モジュール",
  "学習率",
  "エポック数",
  "バッチサイズ",
  "最大長",
]
const NAMES = {
  ja: {
    "/": [
      "ダッシュボード",
      "データセット",
      "訓練",
      "評価・比較",
      "モデル管理",
      "エクスポート",
      "チャット",
      "テキスト生成",
      "詳細を表示",
    ],
    "/datasets": [
      "データセットをアップロード",
      "アップロード",
      "ファイル",
      "ファイルを選ぶ",
      "名前",
      "説明",
      "タイプ",
      "指示",
      "チャット",
      "補完",
    ],
    "/jobs": ["新しい訓練ジョブ"],
    "/jobs/new": [
      ...[
        "ジョブ名",
        "ベースモデル",
        "訓練データセット",
        "クイックプリセット",
        "LoRA設定",
        "訓練設定",
        "確認",
        "詳細設定",
        "前に教えたデータ",
      ],
      ...[...PRESETS, ...FIELDS, "ウォームアップステップ", "メモリー節約", "大規模 32B", "訓練を開始|キューに追加"],
    ],
  },
  en: {
    "/": ["Dashboard", "Datasets", "Training", "Models"],
    "/datasets": ["Upload dataset"],
    "/jobs": ["New training job"],
  },
}

/** A preset by one click: its rank stands in the form and in what will be started. */
async function chooseAPreset(page) {
  await page.getByRole("button", { name: "軽量 (r=4)" }).click()
  const rank = await page.getByLabel("ランク", { exact: true }).elementHandle()
  await page.waitForFunction((field) => field.value === "4", rank)
  await page.getByText("学習するトークン").waitFor()
  await page.getByRole("button", { name: /訓練を開始|キューに追加/, disabled: false }).waitFor()
}

const [address] = process.argv.slice(2)
const browser = await launch()
const missing = []
for (const [language, pages] of Object.entries(NAMES)) {
  const { page } = await open(browser, address, { language })
  for (const [path, names] of Object.entries(pages)) {
    await visit(page, path)
    if (path === "/datasets" && language === "ja") await page.getByRole("button", { name: names[0] }).first().click()
    if (path === "/jobs/new") await page.getByRole("button", { name: /訓練を開始|キューに追加/ }).waitFor()
    if (path === "/jobs/new") await chooseAPreset(page)
    const words = (await page.locator("body").allTextContents()).join(" ").toLowerCase()
    const gone = names.filter((name) => !name.split("|").some((one) => words.includes(one.toLowerCase())))
    missing.push(...gone.map((name) => `${language} ${path}: ${name}`))
  }
  await page.context().close()
}
await browser.close()
assert.deepEqual(missing, [])
console.log("all there")
