"""Quotes, attributions and heads of quoted mails, in any language."""

import pytest

from mailflow.parse.reply import Known, scan


def reply(text: str, subject: str = "") -> str:
    return scan(text, Known(), subject).reply


def kinds(text: str) -> list[str]:
    return [cut.why for cut in scan(text, Known()).cuts]


OLD = "> Please endorse our letter.\n> I endorse it too."
ATTRIBUTIONS = [
    ("en Gmail", "On Mon, 5 Oct 2026 at 10:23, List <list@delta.example> wrote:"),
    ("en Gmail, wrapped", "On Mon, 5 Oct 2026 at 10:23, Keep the River Wild <\nlist@delta.example> wrote:"),
    ("en Gmail, wrapped twice", "On Monday, October\n5, 2026 at 10:23 AM Keep the River Wild via Friends\n<list@delta.example> wrote:"),
    ("en Thunderbird", "On 05/10/2026 10:23, List wrote:"),
    ("en Apple", "On 5 Oct 2026, at 10:23, List <list@delta.example> wrote:"),
    ("de Gmail", "Am Mo., 5. Okt. 2026 um 10:23 Uhr schrieb List <list@delta.example>:"),
    ("de Thunderbird", "Am 05.10.2026 um 10:23 schrieb List:"),
    ("fr Gmail", "Le lun. 5 oct. 2026 à 10:23, List <list@delta.example> a écrit :"),
    ("es Gmail", "El lun, 5 oct 2026 a las 10:23, List (<list@delta.example>) escribió:"),
    ("pt", "Em seg., 5 de out. de 2026 às 10:23, List <list@delta.example> escreveu:"),
    ("it", "Il giorno lun 5 ott 2026 alle ore 10:23 List <list@delta.example> ha scritto:"),
    ("nl", "Op ma 5 okt 2026 om 10:23 schreef List <list@delta.example>:"),
    ("sv", "Den mån 5 okt. 2026 kl 10:23 skrev List <list@delta.example>:"),
    ("pl", "pon., 5 paź 2026 o 10:23 List <list@delta.example> napisał(a):"),
    ("cs", "po 5. 10. 2026 v 10:23 odesílatel List <list@delta.example> napsal:"),
    ("hu", "List <list@delta.example> ezt írta (időpont: 2026. okt. 5., H, 10:23):"),
    ("fi", "ma 5. lokak. 2026 klo 10.23 List (list@delta.example) kirjoitti:"),
    ("tr", "List <list@delta.example>, 5 Eki 2026 Pzt, 10:23 tarihinde şunu yazdı:"),
    ("ru", "пн, 5 окт. 2026 г. в 10:23, List <list@delta.example>:"),
    ("uk", "пн, 5 жовт. 2026 р. о 10:23 List <list@delta.example> пише:"),
    ("el", "Στις Δευ 5 Οκτ 2026 στις 10:23 π.μ., ο/η List <list@delta.example> έγραψε:"),
    ("he", "\u200f\u202bבתאריך יום ב׳, 5 באוק׳ 2026 ב-10:23 מאת \u202aList\u202c\u200f <\u202alist@delta.example\u202c\u200f>:\u202c"),
    ("ar", "في الاثنين، ٥ أكتوبر ٢٠٢٦ في ١٠:٢٣ ص تمت كتابة ما يلي بواسطة List <list@delta.example>:"),
    ("fa", "در تاریخ دوشنبه ۵ اکتبر ۲۰۲۶،\u200f ۱۰:۲۳ List <list@delta.example> نوشت:"),
    ("hi", "सोम, 5 अक्टू॰ 2026 को 10:23 am बजे को List <list@delta.example> ने लिखा:"),
    ("zh", "List <list@delta.example> 于2026年10月5日周一 10:23写道："),
    ("zh-Hant", "List <list@delta.example> 於 2026年10月5日 週一 上午10:23寫道："),
    ("ja", "2026年10月5日(月) 10:23 List <list@delta.example>:"),
    ("ko", "2026년 10월 5일 (월) 오전 10:23, List <list@delta.example>님이 작성:"),
    ("vi", "Vào Th 2, 5 thg 10, 2026 vào lúc 10:23 List <list@delta.example> đã viết:"),
    ("id", "Pada tanggal Sen, 5 Okt 2026 pukul 10.23 List <list@delta.example> menulis:"),
    ("th", "ในวันที่ จ. 5 ต.ค. 2026 เวลา 10:23 List <list@delta.example> เขียนว่า:"),
    ("no colon", "2026-10-05 10:23 GMT+02:00 List <list@delta.example>"),
]  # fmt: skip


@pytest.mark.case(76)
@pytest.mark.parametrize("line", [row[1] for row in ATTRIBUTIONS], ids=[row[0] for row in ATTRIBUTIONS])
@pytest.mark.parametrize("between", ["\n\n", "\n"], ids=["after an empty line", "directly below"])
def test_the_line_above_a_quote_that_says_whose_it_is_goes_with_it(line: str, between: str) -> None:
    assert reply(f"Gladly endorsed.{between}{line}\n{OLD}") == "Gladly endorsed."


@pytest.mark.case(76)
@pytest.mark.parametrize("line", [row[1] for row in ATTRIBUTIONS], ids=[row[0] for row in ATTRIBUTIONS])
def test_an_answer_below_the_quote_is_kept(line: str) -> None:
    assert reply(f"{line}\n{OLD}\n\nGladly endorsed.") == "Gladly endorsed."


UNMARKED = [row for row in ATTRIBUTIONS if "<" in row[1] and row[1].rstrip("\u202c").endswith((":", "："))]


@pytest.mark.case(76)
@pytest.mark.parametrize("line", [row[1] for row in UNMARKED], ids=[row[0] for row in UNMARKED])
def test_a_quote_without_marks_below_such_a_line_is_cut(line: str) -> None:
    assert reply(f"Gladly endorsed.\n\n{line}\n\nPlease endorse our letter.\nI endorse it too.") == "Gladly endorsed."


HEADS = [
    ("en", "From: List <list@delta.example>\nSent: Monday, October 5, 2026 10:23 AM\nTo: Ana Melo <ana@x.example>\nSubject: Letter"),
    ("en, in bold", "*From:* List <list@delta.example>\n*Sent:* Monday, October 5, 2026 10:23 AM\n*To:* Ana\n*Subject:* Letter"),
    ("en, no address", "From: List\nSent: Monday, October 5, 2026 10:23 AM\nTo: Ana Melo\nSubject: Letter"),
    ("de", "Von: List <list@delta.example>\nGesendet: Montag, 5. Oktober 2026 10:23\nAn: Ana\nBetreff: Letter"),
    ("fr", "De : List <list@delta.example>\nEnvoyé : lundi 5 octobre 2026 10:23\nÀ : Ana\nObjet : Letter"),
    ("es", "De: List <list@delta.example>\nEnviado el: lunes, 5 de octubre de 2026 10:23\nPara: Ana\nAsunto: Letter"),
    ("it", "Da: List <list@delta.example>\nInviato: lunedì 5 ottobre 2026 10:23\nA: Ana\nOggetto: Letter"),
    ("pl", "Od: List <list@delta.example>\nWysłano: poniedziałek, 5 października 2026 10:23\nDo: Ana\nTemat: Letter"),
    ("ru", "От: List <list@delta.example>\nОтправлено: 5 октября 2026 г. 10:23\nКому: Ana\nТема: Letter"),
    ("el", "Από: List <list@delta.example>\nΣτάλθηκε: Δευτέρα, 5 Οκτωβρίου 2026 10:23\nΠρος: Ana\nΘέμα: Letter"),
    ("tr", "Kimden: List <list@delta.example>\nGönderildi: 5 Ekim 2026 Pazartesi 10:23\nKime: Ana\nKonu: Letter"),
    ("ar", "من: List <list@delta.example>\nتم الإرسال: الاثنين، 5 أكتوبر 2026 10:23\nإلى: Ana\nالموضوع: Letter"),
    ("fa", "از: List <list@delta.example>\nتاریخ: دوشنبه ۵ اکتبر ۲۰۲۶ ۱۰:۲۳\nبه: Ana\nموضوع: Letter"),
    ("he", "\u200fמאת: List <list@delta.example>\n\u200fנשלח: יום שני 5 אוקטובר 2026 10:23\n\u200fאל: Ana\n\u200fנושא: Letter"),
    ("zh, full-width", "发件人： List <list@delta.example>\n发送时间： 2026年10月5日 10:23\n收件人： Ana\n主题： Letter"),
    ("ja", "差出人: List <list@delta.example>\n送信日時: 2026年10月5日 10:23\n宛先: Ana\n件名: Letter"),
    ("ko", "보낸 사람: List <list@delta.example>\n보낸 날짜: 2026년 10월 5일 월요일 오전 10:23\n받는 사람: Ana\n제목: Letter"),
    ("th", "จาก: List <list@delta.example>\nส่ง: 5 ตุลาคม 2026 10:23\nถึง: Ana\nเรื่อง: Letter"),
]  # fmt: skip


@pytest.mark.case(76)
@pytest.mark.parametrize("head", [row[1] for row in HEADS], ids=[row[0] for row in HEADS])
@pytest.mark.parametrize(
    "above", ["", "________________________________\n", "-----Original Message-----\n"], ids=["bare", "rule", "separator"]
)
def test_the_head_of_a_quoted_mail_ends_what_the_sender_wrote(head: str, above: str) -> None:
    assert reply(f"Gladly endorsed.\n\nAna\n\n{above}{head}\n\nPlease endorse our letter.\nI endorse it too.") == "Gladly endorsed.\n\nAna"


SEPARATORS = [
    "-----Original Message-----", "-----Ursprüngliche Nachricht-----", "-----Message d'origine-----", "-----Mensaje original-----", "-----Mensagem original-----",
    "-----Messaggio originale-----", "-----Oorspronkelijk bericht-----", "-----Oryginalna wiadomość-----", "----- Исходное сообщение -----", "-----Αρχικό μήνυμα-----",
    "-----Orijinal İleti-----", "-----الرسالة الأصلية-----", "-----הודעה מקורית-----", "------------------ 原始邮件 ------------------", "-----元のメッセージ-----", "-----원본 메시지-----",
    "---- On Mon, 05 Oct 2026 10:23:11 +0100 List <list@delta.example> wrote ----",
]  # fmt: skip


@pytest.mark.case(76)
@pytest.mark.parametrize("line", SEPARATORS)
def test_a_separator_ends_what_the_sender_wrote(line: str) -> None:
    assert reply(f"Gladly endorsed.\n\n{line}\nPlease endorse our letter.") == "Gladly endorsed."


FORWARDS = [
    "---------- Forwarded message ---------", "---------- Weitergeleitete Nachricht ---------", "---------- Message transféré ---------", "---------- Mensaje reenviado ---------",
    "---------- Mensagem encaminhada ---------", "---------- Messaggio inoltrato ---------", "---------- Doorgestuurd bericht ---------", "---------- Пересылаемое сообщение ---------",
    "---------- 转发的邮件 ---------", "---------- 転送メッセージ ---------", "---------- 전달된 메일 ---------", "---------- رسالة محولة ---------", "-------- Weitergeleitete Nachricht --------",
]  # fmt: skip


@pytest.mark.case(76)
@pytest.mark.parametrize("line", FORWARDS)
def test_what_was_forwarded_is_not_the_senders_own(line: str) -> None:
    text = f"See below.\n\n{line}\nFrom: List <list@delta.example>\nDate: Mon, 5 Oct 2026 at 10:23\nSubject: Letter\n\nI endorse it."
    assert (reply(text), kinds(text)) == ("See below.", ["forwarded"])


@pytest.mark.case(76)
def test_what_apple_mail_forwards_is_not_the_senders_own() -> None:
    text = "See below.\n\nBegin forwarded message:\n\nFrom: List <list@delta.example>\nSubject: Letter\nDate: 5 October 2026 at 10:23:00 CEST\nTo: ana@x.example\n\nI endorse it."
    assert (reply(text), kinds(text)) == ("See below.", ["forwarded"])


@pytest.mark.case(76)
def test_a_forward_without_a_word_of_ones_own_leaves_nothing() -> None:
    assert reply("---------- Forwarded message ---------\nFrom: List <list@delta.example>\nDate: 5 Oct 2026\n\nI endorse it.") == ""


@pytest.mark.case(76)
def test_answers_between_quotes_are_all_kept_with_an_empty_line_between() -> None:
    text = f"Hi all,\n\nOn 5 Oct 2026 10:23, List wrote:\n{OLD}\nYes, I do.\n> And your name?\nAna Melo\n> Bye"
    assert reply(text) == "Hi all,\n\nYes, I do.\n\nAna Melo"


@pytest.mark.case(76)
def test_answers_below_a_head_whose_quote_has_marks_are_kept() -> None:
    head = "-----Original Message-----\nFrom: List <list@delta.example>\nSent: Monday, October 5, 2026 10:23 AM\nTo: Ana\nSubject: Letter"
    assert reply(f"{head}\n\n{OLD}\n\nGladly endorsed.") == "Gladly endorsed."
