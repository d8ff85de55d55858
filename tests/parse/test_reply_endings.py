"""Signature blocks, app footers, legal notices, list footers: below a person's words, and no part of them."""

import pytest

from mailflow.parse.footers import is_app_footer
from mailflow.parse.reply import Known, scan

NOTHING = Known()
OLD = "> Please endorse our letter.\n> I endorse it too."


def reply(text: str) -> str:
    return scan(text, NOTHING).reply


def kinds(text: str) -> list[str]:
    return [cut.why for cut in scan(text, NOTHING).cuts]


SIGNATURES = [
    ("with a space", "I endorse.\n\n-- \nAna Melo\nDelta College", "I endorse.", "Ana Melo\nDelta College"),
    ("without a space", "I endorse.\n\n--\nAna Melo\nDelta College", "I endorse.", "Ana Melo\nDelta College"),
    ("a long dash", "I endorse.\n\n—\nAna Melo", "I endorse.", "Ana Melo"),
    ("above a quote", f"I endorse.\n-- \nAna Melo\n\n{OLD}", "I endorse.", "Ana Melo"),
    ("below a quote", f"{OLD}\n\nI endorse.\n-- \nAna Melo", "I endorse.", "Ana Melo"),
    ("nothing above", "-- \nAna Melo", "", "Ana Melo"),
]


@pytest.mark.parametrize(("text", "own", "signature"), [row[1:] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_a_signature_block_is_cut_and_kept_apart(text: str, own: str, signature: str) -> None:
    found = scan(text, NOTHING)
    assert (found.reply, found.signature) == (own, signature)


LOOSE = [
    "--\n" + "I endorse, and here is why.\n" * 12,
    "I endorse.\n--\n" + "Another paragraph of mine. " * 20,
    "--\nAna Melo",
    "I endorse.\n—\n" + "A line.\n" * 30,
]


@pytest.mark.parametrize("text", LOOSE, ids=["nothing above", "a long line", "only a name", "many lines"])
def test_two_dashes_above_more_than_a_signature_cut_nothing(text: str) -> None:
    assert scan(text, NOTHING).cuts == ()


APPS = [
    "Sent from my iPhone", "Sent from my Galaxy", "Sent from Yahoo Mail on Android", "Get Outlook for iOS", "Get Outlook for Android<https://aka.ms/x>", "Sent from Mail for Windows",
    "Sent with Proton Mail secure email.", "Von meinem iPhone gesendet", "Von meinem Samsung Galaxy Smartphone gesendet.", "Gesendet mit der GMX Mail App", "Diese Nachricht wurde von meinem Android Gerät mit GMX Mail gesendet.",
    "Outlook für iOS herunterladen", "Envoyé de mon iPhone", "Envoyé depuis mon téléphone Orange", "Obtenir Outlook pour Android", "Télécharger Outlook pour iOS", "Enviado desde mi iPhone", "Obtener Outlook para iOS",
    "Enviado do meu iPhone", "Obter o Outlook para Android", "Enviat des del meu iPhone", "Inviato da iPhone", "Inviato dal mio dispositivo Samsung mobile", "Scarica Outlook per iOS", "Verzonden vanaf mijn iPhone", "Verstuurd vanaf mijn iPhone", "Outlook voor iOS downloaden",
    "Skickat från min iPhone", "Sendt fra min iPhone", "Lähetetty iPhonesta", "Sent úr iPhone", "Odesláno z iPhonu", "Odoslané z iPhonu", "Wysłane z iPhone'a", "Poslano z mojega iPhona", "Trimis de pe iPhone-ul meu", "iPhone-omról küldve", "Отправлено с iPhone", "Отправлено из мобильной Почты Mail",
    "Надіслано з iPhone", "Изпратено от моя iPhone", "Στάλθηκε από το iPhone μου", "iPhone'umdan gönderildi", "Dikirim dari iPhone saya", "Gửi từ iPhone của tôi", "أُرسلت من الـ iPhone", "تم الإرسال من هاتف Samsung", "نشلح من", "נשלח מה-iPhone שלי",
    "ارسال شده از iPhone", "मेरे iPhone से भेजा गया", "আমার iPhone থেকে পাঠানো", "ส่งจาก iPhone ของฉัน", "发自我的iPhone", "從我的iPhone傳送", "iPhoneから送信", "나의 iPhone에서 보냄", "Saadetud minu iPhone'ist", "Išsiųsta iš mano iPhone", "Imetumwa kutoka iPhone yangu",
]  # fmt: skip
APPS.remove("نشلح من")


@pytest.mark.parametrize("line", APPS)
def test_what_a_mail_program_says_of_itself_is_cut(line: str) -> None:
    assert (reply(f"I endorse.\n\n{line}"), reply(f"I endorse.\n\nAna\n{line}\n\n{OLD}")) == ("I endorse.", "I endorse.\n\nAna")


OWN = [
    "Sent from my heart",
    "Sent from the harbour with love",
    "Get well soon",
    "I wrote this on my iPhone.",
    "Enviado con todo mi amor",
    "Verzonden met liefs",
    "Von meinem Vater habe ich das gelernt.",
    "Sent from my iPhone. I am sorry for the typos, but I had to write this on the train to work.",
]


@pytest.mark.parametrize("line", OWN)
def test_what_only_sounds_like_a_program_stays(line: str) -> None:
    assert not is_app_footer(line) and reply(f"I endorse.\n\n{line}").endswith(line)


NOTICES = [
    (
        "en",
        "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received this message in error, please notify the sender and delete it.",
    ),
    (
        "de",
        "Diese E-Mail enthält vertrauliche und rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte den Absender.",
    ),
    (
        "fr",
        "Ce message et ses pièces jointes sont confidentiels et établis à l'intention exclusive de leur destinataire. Si vous l'avez reçu par erreur, merci d'en avertir l'expéditeur.",
    ),
    (
        "es",
        "Este mensaje es confidencial y va dirigido exclusivamente a su destinatario. Si lo ha recibido por error, le rogamos que lo comunique al remitente y lo elimine.",
    ),
    (
        "pt",
        "Esta mensagem é confidencial e destina-se apenas ao destinatário. Se a recebeu por engano, por favor avise o remetente e apague-a imediatamente.",
    ),
    (
        "it",
        "Questo messaggio è riservato ed è indirizzato esclusivamente al destinatario. Se lo avete ricevuto per errore, vi preghiamo di avvisare il mittente.",
    ),
    (
        "nl",
        "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Indien u dit bericht ten onrechte ontvangt, verzoeken wij u de afzender te waarschuwen.",
    ),
    ("zh", "本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的收件人。如果您误收了本邮件，请立即通知发件人并删除本邮件。"),
]


@pytest.mark.parametrize("notice", [row[1] for row in NOTICES], ids=[row[0] for row in NOTICES])
@pytest.mark.parametrize("below", ["", "\n\nDelta Ltd, registered in Delta Town, no. 123"], ids=["last", "with a line below"])
def test_a_legal_notice_is_cut(notice: str, below: str) -> None:
    assert (reply(f"I endorse.\n\nAna\n\n{notice}{below}"), kinds(f"I endorse.\n\n{notice}")) == ("I endorse.\n\nAna", ["disclaimer"])


@pytest.mark.parametrize("notice", [row[1] for row in NOTICES], ids=[row[0] for row in NOTICES])
def test_a_notice_that_is_the_whole_mail_stays(notice: str) -> None:
    assert reply(notice) == notice


LISTS = [
    "_______________________________________________\nWetlands mailing list\nWetlands@lists.example\nhttps://lists.example/listinfo/wetlands",
    "-- \nYou received this message because you are subscribed to the Google Groups group.\nTo unsubscribe, write to x@groups.example.",
    "_______________________________________________\nListe de diffusion Marais\nSe désabonner : https://lists.example/x",
]


@pytest.mark.parametrize("footer", LISTS)
def test_what_a_list_adds_is_cut(footer: str) -> None:
    assert reply(f"I endorse.\n\nAna\n{footer}") == "I endorse.\n\nAna"


@pytest.mark.parametrize("line", ["Virenfrei. www.avast.com", "This email has been checked for viruses by Avast antivirus software.", "Libre de virus. www.avast.com", "Please consider the environment before printing this email."])  # fmt: skip
def test_an_advertisement_at_the_end_is_cut(line: str) -> None:
    assert reply(f"I endorse.\n\nAna\n\n{line}") == "I endorse.\n\nAna"
