"""Words that the text generators put together; invented names are made from syllables, so that none is a real one."""

from __future__ import annotations

import random

# fmt: off
SURNAMES = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 前田 藤田 小川 岡田 後藤 長谷川 村上 近藤 石井 坂本 遠藤 青木 藤井 西村 福田 太田 三浦 藤原 岡本 松田 中川 中野 原田 小野 田村 竹内 金子 和田 中山 石田 上田 森田 原 柴田 酒井 工藤 横山 宮崎 宮本 内田 高木 安藤 島田 谷口 大野 高田 丸山 今井 河野 藤本 村田 武田 上野 杉山 増田 平野 大塚 千葉 久保 松井 小島 岩崎 桜井 野口 松尾 野村 木下 菊地".split()
GIVEN = "陽菜 結衣 葵 さくら 美咲 花子 真由美 恵子 由美 直子 健 太郎 一郎 翔太 大輔 拓也 蓮 悠斗 誠 修 浩 隆 学 亮 健太 美穂 彩 舞 千尋 楓 遥 恵 純 薫 明 光 進 実 豊 茂".split()
TOWN_PARTS_A = "青 赤 白 黒 緑 大 小 高 低 東 西 南 北 上 中 下 新 古 長 広 深 浅 美 清 光 花 月 星 風 雪 雨 雲 霧 波 石 岩 砂 竹 松 梅 桜 杉 柳 藤 菊 若 豊 福 千 万 三 五 七 八".split()
TOWN_PARTS_B = "山 川 田 野 原 島 浜 沢 谷 森 林 池 井 橋 崎 坂 丘 岡 里 宮 尾 根 瀬 淵 泉 港 津 浦 牧 園".split()
TOWN_KINDS = "市 町 村 区 温泉 団地 商店街 駅前".split()
KATAKANA = "ア イ ウ エ オ カ キ ク ケ コ サ シ ス セ ソ タ チ ツ テ ト ナ ニ ネ ノ ハ ヒ フ ヘ ホ マ ミ ム メ モ ラ リ ル レ ロ バ ビ ブ ベ ボ パ ピ ポ ガ ギ グ ゴ ザ ジ ダ デ ド".split()
SHOP_KINDS = "書店 パン屋 花店 喫茶店 食堂 薬局 文具店 時計店 靴店 電器店 美容室 歯科医院 図書館 公民館 体育館 美術館 博物館 水族館 動物園 旅館 ホテル 工房 農園 牧場 酒店 茶店 菓子店 豆腐店 自転車店 写真館 整体院 学習塾 保育園 幼稚園 クリニック 郵便局 銀行 市役所 直売所 キャンプ場 スキー場 プール 銭湯".split()
PRODUCTS = "りんご みかん ぶどう 桃 梨 柿 いちご メロン すいか トマト きゅうり なす にんじん 大根 白菜 玉ねぎ じゃがいも さつまいも かぼちゃ ほうれん草 キャベツ レタス ねぎ しいたけ 米 小麦粉 牛乳 チーズ バター 卵 豆腐 納豆 味噌 醤油 塩 砂糖 酢 油 緑茶 紅茶 コーヒー ジュース ビール 日本酒 食パン クロワッサン カレーパン メロンパン ケーキ クッキー どら焼き 大福 羊羹 煎餅 飴 チョコレート アイスクリーム うどん そば ラーメン カレー ハンバーグ コロッケ 唐揚げ 焼き魚 刺身 寿司 弁当 おにぎり サンドイッチ サラダ スープ 鍋 餃子 鉛筆 ボールペン ノート 消しゴム 定規 はさみ 封筒 切手 手帳 辞書 地図 絵本 雑誌 新聞 かばん 財布 時計 眼鏡 帽子 手袋 靴下 靴 傘 シャツ ズボン スカート セーター コート 浴衣 タオル 石けん 歯ブラシ 布団 枕 毛布 机 椅子 本棚 照明 扇風機 冷蔵庫 洗濯機 掃除機 電子レンジ 炊飯器 テレビ ラジオ カメラ パソコン キーボード マウス 電池 充電器 イヤホン スピーカー プリンター 自転車 花瓶 湯のみ 茶碗 皿 箸 鍋敷き 水筒 カレンダー 風鈴 切符 入場券 回数券 会員証".split()
COUNTERS = {"円": (80, 50000), "個": (1, 200), "人": (1, 900), "分": (1, 90), "時間": (1, 48), "日": (1, 60), "か月": (1, 24), "年": (1, 120), "メートル": (2, 3000), "キロメートル": (1, 900), "キログラム": (1, 300), "グラム": (5, 950), "リットル": (1, 90), "度": (1, 99), "パーセント": (1, 99), "ページ": (8, 900), "冊": (1, 300), "本": (1, 300), "枚": (1, 500), "台": (1, 80), "階": (1, 40), "号室": (101, 909), "番": (1, 99), "点": (1, 100), "回": (1, 60), "種類": (2, 80), "席": (4, 300), "歳": (1, 99)}
WEEKDAYS = "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日".split()
ADJECTIVES = "新しい 古い 大きい 小さい 明るい 静かな 便利な 人気の 珍しい 丈夫な 軽い 重い 安い 高い やさしい 美しい きれいな 丸い 四角い 甘い 辛い 温かい 冷たい 伝統的な 現代的な 素朴な 上品な".split()
COLORS = "赤 青 白 黒 緑 黄色 茶色 紫 灰色 桃色 水色 金色 銀色 紺 橙色".split()
HOBBIES = "読書 散歩 料理 写真 釣り 登山 水泳 将棋 囲碁 園芸 旅行 音楽鑑賞 映画鑑賞 書道 茶道 生け花 手芸 陶芸 サッカー 野球 卓球 テニス ピアノ ギター 絵 ゲーム 天体観測 そば打ち".split()
JOBS = "医師 看護師 教師 大工 農家 漁師 料理人 パン職人 運転手 消防士 警察官 会社員 公務員 画家 作家 記者 写真家 音楽家 研究者 薬剤師 図書館員 庭師 美容師 店長 駅員 保育士 介護士 技術者 陶芸家 和菓子職人".split()
WEATHER = "晴れ くもり 雨 雪 霧 強い風 にわか雨 快晴 雷雨 小雨".split()
TERMS = "変数 関数 配列 文字列 整数 小数 条件分岐 繰り返し 例外 再帰 引数 戻り値 クラス 継承 データベース 索引 主キー 外部キー トランザクション 正規化 サーバー クライアント 通信規約 暗号化 認証 認可 パスワード 二要素認証 ファイアウォール 仮想化 コンテナ 負荷分散 キャッシュ メモリー プロセス スレッド 排他制御 待ち行列 木構造 ハッシュ 探索 整列 計算量 圧縮 版管理 単体テスト 結合テスト 継続的統合 監視 ログ 障害 復旧 冗長化 バックアップ 高血圧 糖尿病 貧血 肺炎 喘息 骨折 捻挫 脱水 発熱 咳 頭痛 腹痛 めまい 発疹 感染 免疫 抗体 ワクチン 血圧 血糖 心拍 呼吸 体温 酸素飽和度 採血 点滴 手術 麻酔 処方 副作用 診断 検査 経過観察 予防 栄養 睡眠 運動 水分補給 契約 請求 見積 納品 検収 在庫 発注 返品 送料 割引 保証 修理 解約 更新 会員 予約 税金 保険 年金 給与 賞与 有給休暇 残業 出張 経費".split()
EN_NAMES = "Anna Ben Carol David Emma Frank Grace Henry Irene Jack Kate Leo Mary Nick Olivia Peter Rose Sam Tina Victor Wendy Yuki Ken Mika Taro Hana".split()
EN_GOODS = "apples pears lemons bread cheese butter rice tea coffee sugar salt honey soup cake cookies pencils notebooks envelopes stamps books maps lamps chairs tables shirts shoes hats gloves umbrellas clocks bicycles tickets cameras keyboards batteries".split()
EN_PLACES = "library museum bakery bookshop station hospital school park harbor market pharmacy hotel theater garden factory office farm cafe aquarium zoo".split()
EN_ADJ = "new old large small bright quiet useful popular rare light heavy cheap beautiful round sweet warm cold simple".split()
EN_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
EN_MONTHS = "January February March April May June July August September October November December".split()
SYLLABLES = "ka ki ku ko sa shi su so ta to na ni no ha hi ho ma mi mo ra ri ro ya yo wa ba bi bo da de do ga go pa po ze zu lan ter vel mor nis fen dor wick ton ley".split()
# fmt: on


def kanji() -> list[str]:
    """Return the kanji of JIS X 0208 level 1, which hold nearly all jōyō kanji, by walking the code table."""
    found = []
    for row in range(16, 48):
        for cell in range(1, 95):
            try:
                found.append(bytes([row + 0xA0, cell + 0xA0]).decode("euc_jp"))
            except UnicodeDecodeError:
                continue
    return found


class Words:
    """Random words for one document."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, words: list[str]) -> str:
        """Return one of some words."""
        return self.random.choice(words)

    def person(self) -> str:
        """Return a Japanese name."""
        return self.pick(SURNAMES) + (self.pick(GIVEN) if self.random.random() < 0.4 else "")

    def town(self) -> str:
        """Return an invented place."""
        return self.pick(TOWN_PARTS_A) + self.pick(TOWN_PARTS_B) + self.pick(TOWN_KINDS)

    def katakana(self) -> str:
        """Return an invented katakana name."""
        name = "".join(self.pick(KATAKANA) for _ in range(self.random.randint(2, 4)))
        return name + self.pick(["", "", "ー", "ン", "ル", "ス"])

    def shop(self) -> str:
        """Return an invented shop or institution."""
        kind = self.random.random()
        if kind < 0.35:
            return self.pick(TOWN_PARTS_A) + self.pick(TOWN_PARTS_B) + self.pick(SHOP_KINDS)
        if kind < 0.7:
            return self.katakana() + self.pick(SHOP_KINDS)
        return self.pick(SURNAMES) + self.pick(SHOP_KINDS)

    def latin(self) -> str:
        """Return an invented Latin name."""
        return "".join(self.pick(SYLLABLES) for _ in range(self.random.randint(2, 3))).capitalize()

    def number(self, low: int, high: int) -> int:
        """Return a number, round ones more often."""
        value = self.random.randint(low, high)
        step = self.pick_number([1, 1, 5, 10, 50, 100])
        rounded = value // step * step
        return rounded if low <= rounded <= high and rounded > 0 else value

    def pick_number(self, numbers: list[int]) -> int:
        """Return one of some numbers."""
        return self.random.choice(numbers)

    def quantity(self, unit: str | None = None) -> str:
        """Return a number with its unit, grouped by commas or not."""
        unit = unit or self.pick(list(COUNTERS))
        value = self.number(*COUNTERS[unit])
        return f"{value:,}{unit}" if self.random.random() < 0.7 else f"{value}{unit}"

    def date(self) -> str:
        """Return a date in Japanese."""
        day = f"{self.random.randint(1, 12)}月{self.random.randint(1, 28)}日"
        return f"{self.random.randint(1950, 2030)}年{day}" if self.random.random() < 0.5 else day

    def clock(self) -> str:
        """Return a time of day."""
        hour, minute = self.random.randint(1, 12), self.pick(["", "", "30分", "15分", "45分"])
        return self.pick(["午前", "午後"]) + f"{hour}時{minute}"

    def phone(self) -> str:
        """Return an invented phone number."""
        return f"0{self.random.randint(10, 99)}-{self.random.randint(100, 9999)}-{self.random.randint(1000, 9999)}"
