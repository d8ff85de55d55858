"""What programs write under a letter: "sent from my ...", disclaimers, list footers, virus scanners."""

import re

_APP = re.compile(
    r"^(?:sent (?:from|using|via|with) (?:my |the )?(?:i(?:phone|pad|pod)|galaxy|samsung|android|huawei|xiaomi|mobile|blackberry|outlook|mail\b|yahoo|aol|proton|gmx|windows|nokia|pixel|oneplus|smartphone|phone|tablet|fairphone|e\.?mail)"
    r"|get outlook for|sent from outlook|obtenir outlook pour|obtener outlook para|obter o outlook para|outlook für (?:ios|android) (?:beziehen|herunterladen)|scarica outlook per|download outlook (?:voor|for)"
    r"|(?:von meinem|von unterwegs|gesendet (?:von|mit|über)|diese (?:nachricht|e-?mail) wurde (?:von|mit) (?:meinem|gmx|web\.de|android))"
    r"|envoy[ée]e? (?:de(?:puis)?|à partir de|avec|via) |t[ée]l[ée]charger outlook"
    r"|enviad[oa] (?:desde|do|de|a partir|pelo|con|com|des) |inviato (?:da|dal|con) |mandato da "
    r"|verzonden (?:vanaf|met|via|uit) |verstuurd (?:vanaf|met) |skickat från |sendt fra |sent frå |lähetetty |odeslán?o? z |wysłano z|wysłane z |odoslané z |trimis (?:de pe|din) |küldve |elküldve "
    r"|отправлено (?:с|из|от) |надіслано (?:з|із) |изпратено от |послато са |στάλθηκε από |απεστάλη από "
    r"|iphone'?umdan gönder|ipad'?imden gönder|android'?den gönder|.{0,30}(?:dan|den|dan) gönderildi"
    r"|dikirim dari |gửi từ |imetumwa kutoka|saadetud |nosūtīts no |išsiųsta iš "
    r"|أ[ُ]?رسلت? من|مرسل من|تم الإرسال من|از .{0,30}من ارسال شد|ارسال شده از|נשלח מ"
    r"|मेरे .{0,30}से भेजा|आमार .{0,20}থেকে|ส่งจาก"
    r"|发自我的|發自我的|从我的.{0,20}发送|從我的.{0,20}傳送|发自.{0,20}(?:邮箱|手机|iphone)|來自.{0,20}手機|iphoneから送信|.{0,20}から送信|私の.{0,10}から送信|나의 .{0,20}에서 보냄|내 .{0,20}에서 보냄|.{0,30}에서 보냄)",
    re.IGNORECASE,
)
_VIRUS = re.compile(r"(?:virus[- ]?free|virenfrei|sans virus|libre de virus|privo di virus|avast|avg\.com|checked by avg|antivirus)", re.IGNORECASE)
_LEGAL = re.compile(
    r"confidential|privileged|intended (?:solely|only|recipient|for)|received (?:it|this|the).{0,40} in error|disclaimer|liability|unauthori[sz]ed"
    r"|vertraulich|rechtlich geschützt|irrtümlich|nicht der richtige adressat|unbefugte|confidenti(?:el|elle)|destinataire|par erreur"
    r"|confidencial|destinatari[oa]|por error|por engano|riservat|esclusivamente|per errore|vertrouwelijk|uitsluitend bestemd|ten onrechte"
    r"|poufn|omyłkow|конфиденциальн|ошибочно|gizli|yanlışlıkla|机密|保密|機密|秘密|誤って|기밀|سري|بالخطأ|محرمانه",
    re.IGNORECASE,
)  # fmt: skip
_LIST = re.compile(r"mailing list|listinfo|unsubscribe|list archives?|abmelden|désabonn|désinscri|google groups|groups\.io|liste de diffusion|mailingliste", re.IGNORECASE)
_RULE = re.compile(r"^[_=*-]{5,}$")

LONGEST_FOOTER_LINE = 160
SHORTEST_DISCLAIMER = 100


def is_app_footer(line: str) -> bool:
    """Whether a line is what a mail program adds about itself."""
    text = line.strip().strip("-–—_*[]()<>•· ")
    return 0 < len(text) <= LONGEST_FOOTER_LINE and bool(_APP.match(text))


def is_virus_advert(line: str) -> bool:
    """Whether a line is a virus scanner's advertisement."""
    return len(line) <= LONGEST_FOOTER_LINE and bool(_VIRUS.search(line))


def is_disclaimer(paragraph: str) -> bool:
    """Whether a paragraph is a legal notice: long, and with at least two of the words such notices are made of."""
    if len(paragraph) < SHORTEST_DISCLAIMER:
        return False
    return len({match[0].lower()[:12] for match in _LEGAL.finditer(paragraph[:4000])}) >= 2


def is_list_footer(lines: list[str]) -> bool:
    """Whether the lines from a rule on are what a list server adds."""
    return bool(lines) and bool(_RULE.match(lines[0].strip())) and len(lines) <= 8 and bool(_LIST.search(" ".join(lines[:8])))
