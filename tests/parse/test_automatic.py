"""Machines are told from people by all their signs together."""

import pytest
from letters import mail, read_body, read_mail

from mailflow.model.mail import Intent, MailClass

ACK = "Thank you - your endorsement of Keep the Tamar Delta Wild"
ENDORSES = "I endorse the letter. Please add my name."


@pytest.mark.case(108)
@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied", "auto-submitted:  AUTO-GENERATED (rejected)", 'Auto-Submitted: auto-notified; owner-email="a@b.example"', "X-Autoreply: yes", "X-Autorespond: re",
        "Precedence: auto_reply", "Return-Path: <>", "X-Auto-Response-Suppress: All\nPrecedence: bulk",
    ],
)  # fmt: skip
def test_an_answering_machine_says_so_in_its_headers(headers: str) -> None:
    read = read_body("I am away until Monday.", "Ann Lee", f"Re: {ACK}", headers=headers)
    assert read.mail_class is MailClass.AUTO_REPLY
    assert read.machine_signs


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: NO (a person)",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "List-Unsubscribe: <mailto:x@y.example>",
        "Precedence: bulk",
        "X-Loop: ann@lee.example",
    ],
)
def test_a_header_that_people_send_too_makes_no_machine(headers: str) -> None:
    read = read_body(ENDORSES, "Ann Lee", "Endorsement", headers=headers)
    assert (read.mail_class, read.intent) == (MailClass.HUMAN, Intent.ENDORSE)


ABSENCES = {
    "en": ("Out of office", "I am out of the office until 4 May. In urgent cases please contact my colleague."),
    "de": ("Abwesenheitsnotiz", "Ich bin derzeit nicht im Büro. In dringenden Fällen wenden Sie sich an das Sekretariat."),
    "fr": ("Réponse automatique", "Je suis absente jusqu'au 4 mai. En cas d'urgence, contactez le secrétariat."),
    "es": ("Respuesta automática", "Estoy fuera de la oficina hasta el 4 de mayo. Para asuntos urgentes escriba a mi compañera."),
    "pt": ("Resposta automática", "Estou de férias até 4 de maio. Em caso de urgência contacte a minha colega."),
    "it": ("Risposta automatica", "Sono assente fino al 4 maggio. Per urgenze contattare la segreteria."),
    "nl": ("Automatisch antwoord", "Ik ben afwezig tot 4 mei. Bij spoed kunt u contact opnemen met een collega."),
    "sv": ("Autosvar", "Jag är på semester till den 4 maj. Vid brådskande ärenden kontakta växeln."),
    "da": ("Autosvar", "Jeg er på ferie til den 4. maj. I hastende tilfælde kontakt min kollega."),
    "nb": ("Automatisk svar", "Jeg er på ferie til 4. mai. Ved hastesaker, ta kontakt med sentralbordet."),
    "fi": ("Automaattinen vastaus", "Olen lomalla 4.5. saakka. Kiireellisissä asioissa ottakaa yhteyttä kollegaani."),
    "pl": ("Automatyczna odpowiedź", "Jestem na urlopie do 4 maja. W pilnych sprawach proszę o kontakt z sekretariatem."),
    "cs": ("Automatická odpověď", "Jsem na dovolené do 4. května. V naléhavých případech kontaktujte kolegyni."),
    "sk": ("Automatická odpoveď", "Som na dovolenke do 4. mája. V naliehavých prípadoch kontaktujte kolegyňu."),
    "hu": ("Automatikus válasz", "Szabadságon vagyok május 4-ig. Sürgős esetben keresse a kollégámat."),
    "ro": ("Răspuns automat", "Sunt în concediu până pe 4 mai. Pentru urgențe contactați secretariatul."),
    "el": ("Αυτόματη απάντηση", "Είμαι εκτός γραφείου έως τις 4 Μαΐου. Για επείγοντα επικοινωνήστε με τη γραμματεία."),
    "ru": ("Автоответ", "Я в отпуске до 4 мая. По срочным вопросам обращайтесь к коллегам."),
    "uk": ("Автоматична відповідь", "Я у відпустці до 4 травня. У термінових випадках звертайтеся до колег."),
    "tr": ("Otomatik yanıt", "4 Mayıs'a kadar izindeyim. Acil durumlarda sekreterlikle iletişime geçin."),
    "ar": ("رد تلقائي", "أنا في إجازة حتى 4 مايو. للحالات العاجلة يرجى الاتصال بالمكتب."),
    "fa": ("پاسخ خودکار", "تا ۴ مه در مرخصی هستم. در موارد فوری لطفاً با همکارم تماس بگیرید."),
    "he": ("מענה אוטומטי", "אני בחופשה עד 4 במאי. לעניינים דחופים נא לפנות למזכירות."),
    "hi": ("स्वचालित उत्तर", "मैं 4 मई तक छुट्टी पर हूँ। आपातकालीन स्थिति में संपर्क करें।"),
    "id": ("Balasan otomatis", "Saya sedang cuti sampai 4 Mei. Untuk hal mendesak hubungi rekan saya."),
    "vi": ("Trả lời tự động", "Tôi đang nghỉ phép đến ngày 4 tháng 5. Trường hợp khẩn cấp vui lòng liên hệ văn phòng."),
    "ja": ("自動返信", "5月4日まで休暇をいただいております。お急ぎの方は事務局までご連絡ください。"),
    "ko": ("부재중 자동 회신", "5월 4일까지 휴가 중입니다. 급한 용무는 사무실로 연락해 주시기 바랍니다."),
    "zh": ("自动回复", "我正在休假，5月4日回来。如有紧急事务请联系办公室。"),
}


@pytest.mark.case(109)
@pytest.mark.parametrize(("subject", "body"), ABSENCES.values(), ids=ABSENCES)
@pytest.mark.parametrize("told", ["in the subject", "in the body only"])
def test_an_absence_note_without_headers_is_known_by_its_words(subject: str, body: str, told: str) -> None:
    subject = f"{subject}: {ACK}" if told == "in the subject" else f"Re: {ACK}"
    assert read_body(body, "Ann Lee", subject).mail_class is MailClass.AUTO_REPLY


@pytest.mark.parametrize(
    "body",
    [
        "I was on holiday when your letter came, but I endorse it with all my heart.",
        "I endorse the letter. I am away until Friday, so please excuse my short mail.",
        "Ich bin im Urlaub, aber ich unterstütze den Brief.",
        "Je suis en vacances, mais je soutiens votre lettre.",
        "Estoy de vacaciones, pero firmo la carta.",
    ],
)
def test_a_person_on_holiday_is_a_person(body: str) -> None:
    read = read_body(body, "Ann Lee", f"Re: {ACK}")
    assert (read.mail_class, read.intent) == (MailClass.HUMAN, Intent.ENDORSE)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Read: your endorsement", "Your message\n\nTo: Ann Lee\nSubject: your endorsement\n\nwas read on Friday, 4 September 2026 19:50."),
        ("Gelesen: Danke", "Ihre Nachricht wurde am Freitag, 4. September 2026 gelesen."),
        ("Lu : Merci", "Votre message a été lu le vendredi 4 septembre."),
    ],
)
def test_a_read_receipt_is_a_machine(subject: str, body: str) -> None:
    assert read_body(body, "Ann Lee", subject).mail_class is MailClass.AUTO_REPLY


def test_a_challenge_robot_is_a_machine() -> None:
    body = "Your message is being held because I do not know you. To complete the delivery, click on the link below to confirm that you are human.\nhttps://boxguard.example/confirm?x=1"
    assert read_body(body, "Ann Lee", f"Re: {ACK}").mail_class is MailClass.AUTO_REPLY


def test_a_calendar_reply_is_a_calendar() -> None:
    body = "--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n--b--\n"
    raw = mail(body, name="Ann Lee", subject="Accepted: Handover", headers="Content-Type: multipart/alternative; boundary=b")
    assert read_mail(raw).mail_class is MailClass.CALENDAR
    assert read_body("", "Ann Lee", "Zugesagt: Übergabe").mail_class is MailClass.CALENDAR


def test_a_list_post_is_list_mail_and_still_read() -> None:
    read = read_body(
        "I endorse the letter.\n\nAnn Lee",
        "Ann Lee via Marsh-L",
        "[Marsh-L] letter",
        headers="List-Id: <marsh.lists.example>\nPrecedence: list",
    )
    assert (read.mail_class, read.intent, [signer.name for signer in read.signers]) == (MailClass.LIST_MAIL, Intent.ENDORSE, ["Ann Lee"])


def test_a_newsletter_with_an_offer_is_advertising() -> None:
    body = "Order today and save 60%! Free shipping on all our products.\nYou are receiving this message because you subscribed. Unsubscribe here."
    read = read_body(body, "Deals", "Endorsed by thousands", headers="List-Unsubscribe: <https://d.example/u>\nPrecedence: bulk")
    assert (read.mail_class, read.intent) == (MailClass.HUMAN, Intent.SPAM)


def test_what_a_machine_wrote_gives_no_signers_and_no_words() -> None:
    read = read_body(ENDORSES, "Ann Lee", "", headers="Auto-Submitted: auto-replied")
    assert (read.signers, read.words, read.cautions) == ((), "", ())
