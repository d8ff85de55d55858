"""What programs write under a letter: "sent from my ...", disclaimers, list footers, virus scanners."""

import re

_APP = re.compile(
    r"(?:sent (?:from|using|via|with|by|on) (?:my |the |an? |a )?(?:i(?:phone|pad|pod|os)|apple|galaxy|samsung|android|huawei|honor|xiaomi|redmi|oppo|vivo|mobile|blackberry"
    r"|outlook|mail\b|yahoo|aol|gmail|proton|tuta|gmx|web\.de|windows|nokia|pixel|google|oneplus|smartphone|phone|cell|tablet|fairphone|spark|bluemail|canary|front|superhuman|zoho|naver|e\.?mail|t-mobile|verizon|at&t|lg\b|moto|sony|htc|kindle|webmail)"
    r"|get outlook for|get bluemail|obtenir outlook pour|obtener outlook para|obt(?:er|enha) o outlook para|outlook (?:für|voor|for|för|til) (?:ios|android|mac)|holen sie sich outlook|scarica outlook per"
    r"|download outlook (?:voor|for)|hämta outlook|hent outlook|hanki outlook|pobierz (?:program )?outlook|получить outlook|загрузить outlook|下载 ?outlook|获取 ?outlook|取得 ?outlook|outlook for (?:ios|android) を入手"
    r"|(?:von meinem (?:i|samsung|handy|mobil|smart|android|huawei|galaxy|tablet|telefon)|von unterwegs gesendet|gesendet (?:von|mit|über|aus) |diese (?:nachricht|e-?mail|mail) wurde (?:von|mit) (?:meinem|gmx|web\.de|android|einem))"
    r"|envoy[ée]e? (?:de(?:puis)?|à partir de|avec|via|du|par) (?:mon|ma|un|une|l|yahoo|outlook|proton|gmail|i|android|samsung|courrier|la|orange)|envoyé de mon|t[ée]l[ée]charger outlook"
    r"|enviad[oa] (?:desde|do|de|a partir d[eo]|pelo|con|com|des d[eo]l?|des del) (?:mi|meu|o |um|el|yahoo|outlook|proton|i|gmail|android|samsung|correo|meva|meu|celular|telem)"
    r"|inviato (?:da|dal|con) |mandato da (?:i|mio|sam)|enviat des del"
    r"|(?:verzonden|verstuurd) (?:vanaf|met|via|uit|vanuit|door) |gestuurd vanaf |skickat från |skickades från |sendt fra |send fra min|sent frå |lähetetty |saatnud |saadetud minu |sänt från|sent úr |sent frá "
    r"|odesláno? (?:z|ze|pomocí) |odoslané (?:z|zo|pomocou) |wysłan[oe] (?:z|ze|za pomocą) |poslano (?:z|s|iz|sa) |послато са |trimis (?:de pe|din|cu) |küldve |elküldve|.{0,30}(?:ról|ről|mmal|mmel) küldve"
    r"|отправлено (?:с|из|от|через) |надіслано (?:з|із|зі|від) |изпратено (?:от|чрез|с) |испратено |адпраўлена з |στάλθηκε από |εστάλη από |απεστάλη από |αποστολή από "
    r"|iphone'?[uı]mdan gönder|ipad'?imden gönder|android'?d?[ea]n gönder|.{0,40}(?:dan|den|tan|ten) gönderil|.{0,30}(?:mdan|mden) göndərilib"
    r"|dikirim (?:dari|melalui|dengan|menggunakan) |dihantar dari|gửi từ |được gửi từ|imetumwa (?:kutoka|kwa)|nosūtīts no|sūtīts no|išsiųsta iš|siųsta iš|gestuur vanaf|ipinadala mula|dërguar nga|მოგზავნილია|ուղարկված"
    r"|أ[ُ]?رسلت? من|مرسلة? من|تم الإرسال من|تم ارسال(?:ه|ها)? من|از .{0,30}من ارسال شد|ارسال شده (?:از|با)|فرستاده شده از|נשלח מ|بھیجا گیا"
    r"|मेरे .{0,30}से भेजा|.{0,30}से भेजा गया|আমার .{0,30}থেকে|.{0,30}থেকে পাঠানো|என் .{0,30}அனுப்ப|ส่งจาก"
    r"|发自我的|發自我的|从我的.{0,20}发送|從我的.{0,20}(?:傳送|寄出)|傳送自|发自.{0,20}(?:邮箱|手机|iphone|android|outlook)|來自.{0,20}手機|寄自我的|通过.{0,20}发送"
    r"|iphone ?から送信|.{0,20}から送信|私の.{0,10}から送信|.{0,20}より送信|나의 .{0,20}에서 보냄|내 .{0,20}에서 보냄|.{0,30}에서 보[냄낸])",
    re.IGNORECASE,
)  # fmt: skip
_PROGRAM = re.compile(
    r"iphon|ipad|android|galaxy|samsung|outlook|yahoo|gmail|proton|mobil|handy|smartphone|telefo|phone|tablet|\bios\b|huawei|xiaomi|\bapp\b|e-?mail|mail|aol|gmx|web\.de"
    r"|windows|blackberry|nokia|celular|móvil|movil|portable|téléphone|cellulare|komór|puhelim|телефон|мобил|смартфон|κινητ|جوال|هاتف|گوشی|موبایل|نייד|手机|手機|携帯|スマ|휴대|điện thoại"
    r"|ponsel|simu|फोन|फ़ोन|ফোন|โทรศัพท์|курсив|почт|пошт|邮箱|信箱|메일|טלפון|אייפון|آیفون|أيفون|آيفون|ايفون|айфон",
    re.IGNORECASE,
)
_VIRUS = re.compile(
    r"virus[- ]?free|virenfrei|viren gepr|sans virus|libre de virus|livre de v[ií]rus|privo di virus|virusvrij|virusfri|wolna? od wirus|bez wirus|не содержит вирус|antivir|анти-?вирус|avast|avg\.com|checked by avg|kaspersky|norton\.com|mcafee|无病毒|ウイルス",
    re.IGNORECASE,
)
_ADVERT = re.compile(
    r"consider the environment|think before (?:you )?print|save paper|denken sie an die umwelt|bitte prüfen sie.{0,60}ausdruck|pensez à l['’]environnement|n['’]imprimez|antes de imprimir|prima di stampare"
    r"|denk aan het milieu|tänk på miljön|w trosce o środowisko|beskyt miljøet",
    re.IGNORECASE,
)
_LEGAL = (
    "confidential", "privileged", "intended solely", "intended only", "intended for", "intended recipient", "addressee", "in error", "disclaimer",
    "liability", "unauthori", "legally binding", "notify the sender", "disclos", "vertraulich", "rechtlich geschützt", "irrtümlich", "versehentlich",
    "nicht der richtige", "nicht der beabsichtigte", "unbefugt", "absender", "weitergabe", "confidentiel", "destinataire", "par erreur", "expéditeur", "divulgation",
    "confidencial", "destinatari", "por error", "por erro", "por engano", "remitente", "remetente", "divulga", "riservat", "esclusivamente", "per errore",
    "mittente", "confidenzial", "vertrouwelijk", "uitsluitend bestemd", "ten onrechte", "geadresseerde", "afzender", "poufn", "omyłkow", "adresat", "luottamuk",
    "vastaanottaj", "fortrolig", "konfidensiel", "konfidentiel", "avsändare", "mottagare", "bizalmas", "címzett", "důvěrn", "dôvern", "odesílatel", "confidențial", "destinatarul",
    "конфиденциальн", "ошибочно", "отправител", "адресат", "конфіденційн", "помилково", "поверително", "εμπιστευτικ", "παραλήπτη", "gizli", "yanlışlıkla", "alıcı",
    "机密", "保密", "機密", "秘密", "误收", "誤收", "收件人", "删除", "刪除", "誤って", "受信者", "削除", "기밀", "수신인", "수신자", "삭제", "سري", "سرية", "بالخطأ", "المرسل إليه", "المستلم",
    "محرمانه", "گیرنده", "חסוי", "בטעות", "הנמען", "rahasia", "penerima", "bảo mật", "người nhận", "गोपनीय",
)  # fmt: skip
"""Stems of the words that legal notices are made of."""
_LEGAL_ASCII = tuple(stem for stem in _LEGAL if stem.isascii())
_LIST = re.compile(
    r"mailing[- ]?list|listinfo|mailman|unsubscribe|list archives?|abmelden|abbestellen|désabonn|désinscri|google groups|groups\.google|groups\.io|liste de diffusion|mailingliste|lista de (?:correo|distribu|discus)"
    r"|darse de baja|cancelar (?:la )?suscripci|cancelar (?:a )?(?:sua )?(?:inscri|assin)|cancella|disiscri|afmelden|uitschrijven|отписаться|рассылк|wypisa|odhlásit|leiratkoz|avregistrera|退订|取消订阅|配信停止|메일링|إلغاء الاشتراك",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_=*~-]{5,}")
_URL = re.compile(r"https?://\S{1,300}", re.IGNORECASE)

_EDGE = re.compile(r"^[\s\W_]+|[\s\-–—_*\[\]()<>•·|\u200e\u200f\u202a-\u202e]+$")

LONGEST_FOOTER_LINE = 160
LONGEST_APP_LINE = 90
SHORTEST_DISCLAIMER = 120
LONG_DISCLAIMER = 180
LONGEST_LIST_FOOTER = 10
DISCLAIMER_BYTES = 4000


def is_app_footer(line: str) -> bool:
    """Whether a line is what a mail program adds about itself. A sentence that goes on is a person's."""
    text = _EDGE.sub("", _URL.sub("", line))
    if not 0 < len(text) <= LONGEST_APP_LINE or not _APP.match(text):
        return False
    return (_PROGRAM.search(text) is not None or "outlook" in text.lower()) and text.rstrip(".").count(". ") == 0


def is_virus_advert(line: str) -> bool:
    """Whether a line is a virus scanner's or a printer's advertisement."""
    return len(line) <= LONGEST_FOOTER_LINE and (_VIRUS.search(line) is not None or _ADVERT.search(line) is not None)


def is_disclaimer(paragraph: str) -> bool:
    """Whether a paragraph is a legal notice: long, and with at least three of the words such notices are made of (two, if much longer)."""
    dense = not paragraph.isascii() and max(paragraph) >= "\u2e80"
    if len(paragraph) < (40 if dense else SHORTEST_DISCLAIMER):
        return False
    text = paragraph[:DISCLAIMER_BYTES].lower()
    found = sum(1 for stem in (_LEGAL_ASCII if text.isascii() else _LEGAL) if stem in text)
    return found >= 3 or (found == 2 and (dense or len(paragraph) > LONG_DISCLAIMER))


def is_list_footer(lines: list[str]) -> bool:
    """Whether the lines from a rule on are what a list server adds."""
    return (
        1 < len(lines) <= LONGEST_LIST_FOOTER
        and _RULE.fullmatch(lines[0].strip()) is not None
        and _LIST.search(" ".join(lines)) is not None
    )
