"""What would be printed: the sender's prose without greeting, formula, name and labels; and whether by name."""

import pytest
from letters import read_body

from mailflow.model.mail import Intent

FORM = "Name: {name}\nAffiliation: {affiliation}\nCountry: {country}\nMay we publish your name? {publish}\nYour words: {words}\n"


def form(
    name: str = "Ann Lee", affiliation: str = "", country: str = "Wales", publish: str = "yes/no", words: str = "Keep it\nwild."
) -> str:
    """The mailto template, filled."""
    return FORM.format(name=name, affiliation=affiliation, country=country, publish=publish, words=words)


FORMS = {
    "de": "Name: Uwe Harms\nOrt: Büsum\nLand: Deutschland\nDürfen wir Ihren Namen veröffentlichen? ja\nIhre Worte: Lasst es wild.",
    "fr": "Nom : Uwe Harms\nVille : Büsum\nPays : Allemagne\nPouvons-nous publier votre nom ? oui\nVos mots : Lasst es wild.",
    "es": "Nombre: Uwe Harms\nCiudad: Büsum\nPaís: Alemania\n¿Podemos publicar su nombre? sí\nSus palabras: Lasst es wild.",
    "it": "Nome: Uwe Harms\nCittà: Büsum\nPaese: Germania\nPossiamo pubblicare il suo nome? sì\nLe sue parole: Lasst es wild.",
    "nl": "Naam: Uwe Harms\nPlaats: Büsum\nLand: Duitsland\nMogen we uw naam publiceren? ja\nUw woorden: Lasst es wild.",
    "pl": "Imię i nazwisko: Uwe Harms\nMiasto: Büsum\nKraj: Niemcy\nCzy możemy opublikować Państwa nazwisko? tak\nTwoje słowa: Lasst es wild.",
    "ru": "Имя: Uwe Harms\nГород: Büsum\nСтрана: Германия\nМожно ли опубликовать ваше имя? да\nВаши слова: Lasst es wild.",
    "tr": "Adınız: Uwe Harms\nŞehir: Büsum\nÜlke: Almanya\nAdınızı yayınlayabilir miyiz? evet\nSözleriniz: Lasst es wild.",
    "ar": "الاسم: Uwe Harms\nالمدينة: Büsum\nالبلد: ألمانيا\nهل يمكننا نشر اسمك؟ نعم\nكلماتك: Lasst es wild.",
    "ja": "お名前：Uwe Harms\nお住まい：Büsum\n国：ドイツ\nお名前を公表してもよろしいですか？ はい\nひとこと：Lasst es wild.",
    "zh": "姓名：Uwe Harms\n城市：Büsum\n国家：德国\n我们可以公布您的姓名吗？ 可以\n您的话：Lasst es wild.",
    "ko": "이름: Uwe Harms\n지역: Büsum\n국가: 독일\n이름을 공개해도 될까요? 네\n하고 싶은 말: Lasst es wild.",
}  # fmt: skip


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_a_form_is_read_in_any_language(body: str) -> None:
    mail = read_body(body, "")
    assert (mail.intent, mail.public, mail.words, mail.cautions) == (Intent.ENDORSE, True, "Lasst es wild.", ())
    assert [(one.name, one.place, one.country) for one in mail.signers] == [("Uwe Harms", "Büsum", "DE")]


def test_a_filled_form_is_an_endorsement_with_the_words_only() -> None:
    mail = read_body("Hello,\n\n" + form(affiliation="teacher, Saltmarsh School"), "Ann Lee")
    assert (mail.intent, " ".join(mail.words.split())) == (Intent.ENDORSE, "Keep it wild.")
    assert (mail.signers[0].affiliation, mail.signers[0].country) == ("teacher, Saltmarsh School", "GB")


@pytest.mark.parametrize(
    ("answer", "public"),
    [
        ("yes", True),
        ("YES please", True),
        ("", True),
        ("yes/no", True),
        ("no", False),
        ("NO please, count me only", False),
        ("yes/no: no", False),
        ("nein", False),
        ("rather not", False),
    ],
)
def test_only_a_no_in_the_form_keeps_the_name_back(answer: str, public: bool) -> None:
    assert read_body(form(publish=answer), "Ann Lee").public is public


@pytest.mark.parametrize(
    "body",
    [
        "I endorse the letter, but please do not publish my name.", "Count me in, anonymously please.", "Ich unterstütze den Brief, bitte meinen Namen nicht veröffentlichen.", "Je soutiens la lettre mais je préfère rester anonyme.",
        "Apoyo la carta, pero no publiquen mi nombre.", "Apoio a carta, mas não publiquem o meu nome.", "Sottoscrivo, ma non pubblicate il mio nome.", "Ik steun de brief, maar publiceer mijn naam niet: liever anoniem.",
        "Поддерживаю письмо, но прошу не публиковать моё имя.", "Popieram list, ale proszę nie publikować mojego nazwiska.", "Mektubu destekliyorum ama adımı yayınlamayın.", "賛同しますが、匿名でお願いします。", "我支持这封信，但请不要公布我的名字。",
        "أؤيد الرسالة، ولكن لا تنشروا اسمي.", "서한을 지지합니다. 익명으로 해 주세요.", "Jag stöder brevet men vill vara anonym.",
    ],
)  # fmt: skip
def test_whoever_asks_is_not_named(body: str) -> None:
    mail = read_body(body, "Ann Lee")
    assert (mail.intent, mail.public) == (Intent.ENDORSE, False)


def test_a_name_kept_back_on_a_condition_is_public() -> None:
    mail = read_body("I endorse it. If the sentence stays, please do not publish my name.", "Ann Lee")
    assert mail.public
    assert mail.cautions


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Bom dia! Apoio a carta.", "Apoio a carta."),
        ("Hallo,\n\nich unterstütze den Brief.\n\nZweiter Absatz.\n\nGruß\nAnn", "ich unterstütze den Brief.\n\nZweiter Absatz."),
        ("您好！我支持这封公开信。", "我支持这封公开信。"),
        ("Hi all,\nI endorse the letter.\nCheers, Ann", "I endorse the letter."),
        ("Sirs,\n\nI endorse the letter.\n\nYours faithfully,\n\nAnn Lee\n12 Mill Lane\nHexley", "I endorse the letter."),
        ("I endorse the letter. Thanks for writing it!\n\nThanks,\nAnn", "I endorse the letter. Thanks for writing it!"),
    ],
)
def test_greeting_and_ending_are_no_words(body: str, words: str) -> None:
    assert read_body(body, "Ann Lee").words == words


@pytest.mark.parametrize("body", ["Please remove my name.", "How many have signed?", "I will not sign the letter."])
def test_nothing_is_printed_where_nobody_endorses(body: str) -> None:
    assert read_body(body, "Ann Lee").words == ""
