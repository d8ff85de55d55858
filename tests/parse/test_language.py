"""Languages and countries."""

import pytest
from letters import lexicon, read_body

from mailflow.parse.country import country_of
from mailflow.parse.knowledge import lexicon_texts
from mailflow.parse.language import header_languages

TEXTS = {
    "en": "I have read the letter twice and it is the best thing that has been written about the river.",
    "de": "Ich habe den Brief gelesen und finde, dass er das Beste ist, was über den Fluss geschrieben wurde.",
    "fr": "J'ai lu la lettre et je trouve que c'est ce qui a été écrit de mieux sur la rivière.",
    "es": "He leído la carta y me parece lo mejor que se ha escrito sobre el río en muchos años.",
    "pt": "Li a carta e acho que é o melhor que já foi escrito sobre o rio em muitos anos, não há dúvida.",
    "it": "Ho letto la lettera e mi sembra la cosa migliore che sia stata scritta sul fiume.",
    "nl": "Ik heb de brief gelezen en het is het beste dat ooit over de rivier is geschreven.",
    "sv": "Jag har läst brevet och det är det bästa som har skrivits om floden på många år.",
    "da": "Jeg har læst brevet, og det er det bedste, der er blevet skrevet om floden i mange år.",
    "nb": "Jeg har lest brevet, og det er det beste som er skrevet om elva på mange år, ikke sant.",
    "fi": "Luin kirjeen ja se on parasta mitä joesta on kirjoitettu moneen vuoteen.",
    "pl": "Przeczytałem list i uważam, że jest to najlepsze, co napisano o rzece od wielu lat.",
    "cs": "Přečetl jsem si dopis a je to to nejlepší, co bylo o řece za mnoho let napsáno.",
    "hu": "Elolvastam a levelet, és ez a legjobb, amit az elmúlt években a folyóról írtak.",
    "ro": "Am citit scrisoarea și este cel mai bun lucru care s-a scris despre râu în ultimii ani.",
    "el": "Διάβασα την επιστολή και είναι ό,τι καλύτερο έχει γραφτεί για το ποτάμι.",
    "ru": "Я прочитал письмо, и это лучшее, что было написано о реке за много лет.",
    "uk": "Я прочитав листа, і це найкраще, що було написано про річку за багато років.",
    "tr": "Mektubu okudum ve bu nehir hakkında yıllardır yazılan en iyi şey olduğunu düşünüyorum.",
    "ar": "قرأت الرسالة وهي أفضل ما كتب عن النهر منذ سنوات طويلة.",
    "fa": "نامه را خواندم و این بهترین چیزی است که در سال‌های اخیر دربارهٔ رودخانه نوشته شده.",
    "he": "קראתי את המכתב וזה הדבר הטוב ביותר שנכתב על הנהר מזה שנים.",
    "hi": "मैंने पत्र पढ़ा और यह नदी के बारे में वर्षों में लिखी गई सबसे अच्छी बात है।",
    "bn": "আমি চিঠিটি পড়েছি এবং এটি নদী সম্পর্কে লেখা সেরা জিনিস।",
    "id": "Saya sudah membaca surat ini dan ini adalah tulisan terbaik tentang sungai selama ini.",
    "sw": "Nimesoma barua hii na ni bora kuliko yote yaliyoandikwa kuhusu mto wetu kwa miaka mingi.",
    "vi": "Tôi đã đọc lá thư và đó là điều hay nhất được viết về dòng sông trong nhiều năm.",
    "th": "ผมได้อ่านจดหมายแล้ว และเป็นสิ่งที่ดีที่สุดที่เคยเขียนเกี่ยวกับแม่น้ำ",
    "ja": "手紙を読みました。川について書かれたものの中で一番良いと思います。",
    "ko": "편지를 읽었습니다. 강에 대해 쓰인 글 중 가장 좋습니다.",
    "zh-Hans": "我读了这封信，这是多年来关于这条河写得最好的文章。",
    "zh-Hant": "我讀了這封信，這是多年來關於這條河寫得最好的文章。",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items(), ids=TEXTS)
def test_a_language_is_recognised(language: str, text: str) -> None:
    assert read_body(text, "Ann Lee").language == language


def test_the_language_is_the_senders_and_not_the_quotes() -> None:
    body = f"{TEXTS['fr']}\n\n> {TEXTS['en']}\n> {TEXTS['en']}\n"
    assert read_body(body, "Ann Lee", headers="Content-Language: en").language == "fr"


def test_headers_are_asked_only_where_the_text_says_nothing() -> None:
    assert read_body("+1", "Ann Lee", headers="Content-Language: sv-SE").language == "sv"


def test_language_headers_give_primary_tags() -> None:
    assert header_languages(["en-GB, en-US;q=0.8", "fr"]) == ("en", "fr")


@pytest.mark.parametrize(
    ("text", "code"),
    [("Wales", "GB"), ("UK", "GB"), ("England.", "GB"), ("USA", "US"), ("us", None), ("US", "US"), ("Deutschland", "DE"), ("日本", "JP"), ("대한민국", "KR"), ("Türkiye", "TR"), ("تونس", "TN"), ("Россия", "RU"),
     ("भारत", "IN"), ("Schweiz", "CH"), ("Suomi", "FI"), ("Hexley", None), ("", None), ("it", None)],
)  # fmt: skip
def test_a_country_is_known_by_its_names(text: str, code: str | None) -> None:
    assert country_of(text, lexicon()) == code


def test_a_country_is_never_taken_from_a_city_or_a_domain() -> None:
    mail = read_body("I endorse the letter.\n\nRegards,\nAnn Lee\nLisbon\n+351 21 000 0000", "Ann Lee", address="ann@lee.pt.example")
    assert mail.signers[0].country is None


def test_there_is_a_lexicon_for_each_language_above() -> None:
    assert {tag.partition("-")[0] for tag in TEXTS} <= set(lexicon_texts())
