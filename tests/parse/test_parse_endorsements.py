"""Endorsements as people write them: names, titles, places and words come out as they should be printed."""

import pytest
from letters import read_body

from mailflow.model.mail import Intent, Signer

# Each has: From, subject, body, the signer, the words (None: not looked at).
ENDORSEMENTS = {
    "en-regards": ("Ruth Penhallow", "Open letter", "Dear friends,\n\nPlease add my name to the letter. The mud matters.\n\nKind regards,\nRuth Penhallow\nHeadteacher, Saltmarsh Primary School\nWexcombe, England",
                   Signer("Ruth Penhallow", "Headteacher", "Saltmarsh Primary School", "Wexcombe", "GB"), "Please add my name to the letter. The mud matters."),
    "en-one-line": ("Bo Tregenza", "", "Count me in. Bo Tregenza, Newquay", Signer("Bo Tregenza", None, None, "Newquay", None), "Count me in."),
    "en-inline-closing": ("Ann Lee", "", "I support the letter. Best wishes, Ann", Signer("Ann Lee"), "I support the letter."),
    "en-ps": ("Tom Ash", "Endorse", "I endorse the letter.\n\nBest,\nTom Ash\n\nPS My father fished there for forty years and never once complained.", Signer("Tom Ash"),
              "I endorse the letter.\n\nPS My father fished there for forty years and never once complained."),
    "en-subject-only": ("Mia Holt", "I endorse the letter", "", Signer("Mia Holt"), ""),
    "en-last-first": ("Okonjo, Grace", "support", "I fully support your open letter.", Signer("Grace Okonjo"), "I fully support your open letter."),
    "en-caps": ("JOHN MCALLISTER", "", "Happy to sign.\nPlease add my name.", Signer("John Mcallister"), "Happy to sign. Please add my name."),
    "en-via": ("Petra Lund via Riverpost", "", "You have my full support.", Signer("Petra Lund"), "You have my full support."),
    "en-doctor": ("A. Mbeki", "", "I gladly sign this.\n\nSincerely,\nDr. Amahle Mbeki, PhD\nUniversity of Saltholm", Signer("Amahle Mbeki", "Dr., PhD", "University of Saltholm"), "I gladly sign this."),
    "en-listed": ("Kit Moss", "", 'Gladly endorsed. Please list me as "Prof. Kit Moss, hydrologist, Fenland Institute".\n\nThanks\nKit', Signer("Kit Moss", "Prof., hydrologist", "Fenland Institute"),
                  'Gladly endorsed. Please list me as "Prof. Kit Moss, hydrologist, Fenland Institute".'),
    "en-lives": ("Sam Pryce", "", "My name is Sam Pryce and I live in Aberwen, Wales. I endorse the letter.", Signer("Sam Pryce", None, None, "Aberwen", "GB"), None),
    "en-dash-name": ("Ola Nye", "", "I sign the letter with joy.\n\n-- Ola", Signer("Ola Nye"), None),
    "de-formal": ("Jutta Brandis", "Offener Brief", "Sehr geehrte Damen und Herren,\n\nich unterstütze Ihren offenen Brief ohne Vorbehalte und freue mich, dass es Sie gibt.\n\nMit freundlichen Grüßen\nJutta Brandis\nLehrerin\nHusum, Deutschland",
                  Signer("Jutta Brandis", "Lehrerin", None, "Husum", "DE"), None),
    "de-self": ("J. Brandis", "", "Hallo, ich heiße Jörg Brandis und möchte den Brief unterschreiben.\n\nViele Grüße\nJörg", Signer("Jörg Brandis"), None),
    "de-mfg": ("Uwe Harms", "Unterschrift", "Bin dabei!\n\nMfG\nUwe Harms, Fischer, Büsum", Signer("Uwe Harms", "Fischer", None, "Büsum"), "Bin dabei!"),
    "fr-adhere": ("Luc Perrault", "", "Bonjour,\n\nJ'apporte mon soutien à votre lettre ouverte.\n\nCordialement,\nLuc Perrault, ostréiculteur, Cancale", Signer("Luc Perrault", "ostréiculteur", None, "Cancale"), "J'apporte mon soutien à votre lettre ouverte."),
    "fr-soussigne": ("Agnès Morel", "", "Je soussignée Agnès Morel, médecin à Dakar, soutiens cette lettre.", Signer("Agnès Morel", "médecin à Dakar"), None),
    "es-sumo": ("Inés Cordero", "Apoyo", "Hola:\n\nMe sumo a la carta. Cuenten conmigo.\n\nUn abrazo,\nInés Cordero\nbióloga, Valdivia (Chile)", Signer("Inés Cordero", "bióloga", None, "Valdivia", "CL"), "Me sumo a la carta. Cuenten conmigo."),
    "pt-apoio": ("Rui Fontes", "", "Caros amigos,\n\nSubscrevo a carta e podem contar comigo.\n\nCom os melhores cumprimentos,\nRui Fontes\nengenheiro, Aveiro, Portugal", Signer("Rui Fontes", "engenheiro", None, "Aveiro", "PT"), "Subscrevo a carta e podem contar comigo."),
    "it-aderisco": ("Gino Pavan", "Adesione", "Buongiorno,\n\naderisco con convinzione alla lettera.\n\nCordiali saluti\nGino Pavan\npescatore, Chioggia", Signer("Gino Pavan", "pescatore", None, "Chioggia"), "aderisco con convinzione alla lettera."),
    "nl-steun": ("Wim de Boer", "", "Beste mensen,\n\nIk onderteken de brief van harte.\n\nMet vriendelijke groet,\nWim de Boer\nschipper, Zierikzee", Signer("Wim de Boer", "schipper", None, "Zierikzee"), "Ik onderteken de brief van harte."),
    "sv-stod": ("Elin Åberg", "", "Hej!\n\nJag stöder brevet. Skriv upp mig.\n\nVänliga hälsningar\nElin Åberg\nbiolog, Umeå, Sverige", Signer("Elin Åberg", "biolog", None, "Umeå", "SE"), "Jag stöder brevet. Skriv upp mig."),
    "da-stotte": ("Mads Kjær", "", "Kære alle,\n\njeg støtter brevet af hele mit hjerte.\n\nMed venlig hilsen\nMads Kjær, fisker, Esbjerg", Signer("Mads Kjær", "fisker", None, "Esbjerg"), "jeg støtter brevet af hele mit hjerte."),
    "nb-stotte": ("Liv Haugen", "", "Hei,\n\nJeg støtter oppropet og skriver gjerne under.\n\nHilsen\nLiv Haugen\nTromsø, Norge", Signer("Liv Haugen", None, None, "Tromsø", "NO"), "Jeg støtter oppropet og skriver gjerne under."),
    "fi-kannatan": ("Aino Korpi", "", "Hei,\n\nKannatan avointa kirjettä ja haluan nimeni mukaan.\n\nYstävällisin terveisin\nAino Korpi\nopettaja, Oulu", Signer("Aino Korpi", "opettaja", None, "Oulu"), "Kannatan avointa kirjettä ja haluan nimeni mukaan."),
    "pl-popieram": ("Jan Mazur", "", "Szanowni Państwo,\n\npopieram list otwarty i proszę o dopisanie mojego nazwiska.\n\nZ poważaniem\nJan Mazur\nrybak, Ustka, Polska", Signer("Jan Mazur", "rybak", None, "Ustka", "PL"), None),
    "cs-podporuji": ("Eva Krátká", "", "Dobrý den,\n\npodporuji váš dopis.\n\nS pozdravem\nEva Krátká\nbioložka, Třeboň, Česko", Signer("Eva Krátká", "bioložka", None, "Třeboň", "CZ"), "podporuji váš dopis."),
    "sk-podporujem": ("Ján Hlavatý", "", "Dobrý deň,\n\npodporujem váš list.\n\nS pozdravom\nJán Hlavatý\nKomárno, Slovensko", Signer("Ján Hlavatý", None, None, "Komárno", "SK"), "podporujem váš list."),
    "hu-tamogatom": ("Kovács Réka", "", "Tisztelt Szerzők!\n\nTámogatom a nyílt levelet.\n\nÜdvözlettel:\nKovács Réka\ntanár, Szeged", Signer("Kovács Réka", "tanár", None, "Szeged"), "Támogatom a nyílt levelet."),
    "ro-sustin": ("Ioana Dobre", "", "Bună ziua,\n\nSusțin scrisoarea și vă rog adăugați numele meu.\n\nCu stimă,\nIoana Dobre\nprofesoară, Tulcea, România", Signer("Ioana Dobre", "profesoară", None, "Tulcea", "RO"), None),
    "el-stirizo": ("Νίκος Λάμπρου", "", "Καλημέρα,\n\nΣτηρίζω την επιστολή σας.\n\nΜε εκτίμηση,\nΝίκος Λάμπρου\nψαράς, Καβάλα, Ελλάδα", Signer("Νίκος Λάμπρου", "ψαράς", None, "Καβάλα", "GR"), "Στηρίζω την επιστολή σας."),
    "ru-prisoed": ("Ольга Зимина", "", "Добрый день!\n\nПрисоединяюсь к письму.\n\nС уважением,\nОльга Зимина,\nучитель географии, г. Онега", Signer("Ольга Зимина", "учитель географии", None, "Онега"), "Присоединяюсь к письму."),
    "uk-pidtrymuju": ("Олена Гай", "", "Добрий день,\n\nПідтримую ваш лист.\n\nЗ повагою,\nОлена Гай\nвчителька, Ізмаїл, Україна", Signer("Олена Гай", "вчителька", None, "Ізмаїл", "UA"), "Підтримую ваш лист."),
    "tr-ben": ("Emre Aydın", "", "Merhaba,\n\nBen de imzalıyorum. Adımı ekleyin lütfen.\n\nSaygılarımla,\nEmre Aydın\nöğretmen, Sinop, Türkiye", Signer("Emre Aydın", "öğretmen", None, "Sinop", "TR"), "Ben de imzalıyorum. Adımı ekleyin lütfen."),
    "ar-awafiq": ("سامي الحداد", "", "السلام عليكم،\n\nأؤيد الرسالة وأرجو إضافة اسمي.\n\nمع التحية\nسامي الحداد\nصياد، طرابلس، لبنان", Signer("سامي الحداد", "صياد", None, "طرابلس", "LB"), "أؤيد الرسالة وأرجو إضافة اسمي."),
    "fa-emza": ("نسرین کاویانی", "", "سلام\n\nمن این نامه را امضا می‌کنم.\n\nبا احترام\nنسرین کاویانی\nمعلم، اهواز، ایران", Signer("نسرین کاویانی", "معلم", None, "اهواز", "IR"), "من این نامه را امضا می‌کنم."),
    "he-tomech": ("דנה לוי", "", "שלום,\n\nאני תומכת במכתב.\n\nבברכה,\nדנה לוי\nמורה, עכו", Signer("דנה לוי", "מורה", None, "עכו"), "אני תומכת במכתב."),
    "hi-samarthan": ("Anita Sahu", "", "नमस्ते,\n\nमैं पत्र का समर्थन करती हूँ।\n\nधन्यवाद\nअनीता साहू\nशिक्षिका, भारत", Signer("अनीता साहू", "शिक्षिका", None, None, "IN"), "मैं पत्र का समर्थन करती हूँ।"),
    "bn-samarthan": ("শিউলি বেগম", "", "প্রিয় বন্ধুরা,\n\nআমি চিঠিটি সমর্থন করি।\n\nধন্যবাদ\nশিউলি বেগম\nশিক্ষিকা, বরিশাল, বাংলাদেশ", Signer("শিউলি বেগম", "শিক্ষিকা", None, "বরিশাল", "BD"), "আমি চিঠিটি সমর্থন করি।"),
    "id-mendukung": ("Sri Wahyuni", "", "Halo,\n\nSaya mendukung surat ini. Tolong cantumkan nama saya.\n\nSalam,\nSri Wahyuni\nguru, Demak, Indonesia", Signer("Sri Wahyuni", "guru", None, "Demak", "ID"), "Saya mendukung surat ini. Tolong cantumkan nama saya."),
    "sw-naunga": ("Juma Hamisi", "", "Habari,\n\nNinaunga mkono barua hii.\n\nAsante\nJuma Hamisi, mvuvi, Lamu, Kenya", Signer("Juma Hamisi", "mvuvi", None, "Lamu", "KE"), "Ninaunga mkono barua hii."),
    "vi-ungho": ("Nguyễn Thị Hoa", "", "Kính gửi các bạn,\n\nTôi ủng hộ lá thư.\n\nTrân trọng,\nNguyễn Thị Hoa\ngiáo viên, Cần Thơ, Việt Nam", Signer("Nguyễn Thị Hoa", "giáo viên", None, "Cần Thơ", "VN"), "Tôi ủng hộ lá thư."),
    "th-sanap": ("สมชาย ใจดี", "", "สวัสดีครับ\n\nผมสนับสนุนจดหมายฉบับนี้\n\nขอบคุณครับ\nสมชาย ใจดี\nครู ประเทศไทย", Signer("สมชาย ใจดี", "ครู", None, None, "TH"), "ผมสนับสนุนจดหมายฉบับนี้"),
    "ja-sando": ("佐伯 美咲", "", "関係者各位\n\n公開書簡に賛同します。\n\n佐伯 美咲\n高校教師、日本", Signer("佐伯 美咲", "高校教師", None, None, "JP"), "公開書簡に賛同します。"),
    "ko-jiji": ("박서준", "", "안녕하세요,\n\n서한을 지지합니다.\n\n감사합니다.\n박서준 드림\n교사, 순천", Signer("박서준", "교사", None, "순천"), "서한을 지지합니다."),
    "zh-hant": ("林怡君", "支持", "您好：\n\n我支持這封公開信，請加上我的名字。\n\n林怡君\n高中老師，台灣", Signer("林怡君", "高中老師", None, None, "TW"), "我支持這封公開信，請加上我的名字。"),
    "zh-wo-jiao": ("Wang Lei", "", "大家好，我叫王磊，我支持这封信。", Signer("王磊"), None),
}  # fmt: skip


@pytest.mark.parametrize(("sender", "subject", "body", "signer", "words"), ENDORSEMENTS.values(), ids=ENDORSEMENTS)
def test_an_endorsement_is_read_as_its_author_wrote_it(sender: str, subject: str, body: str, signer: Signer, words: str | None) -> None:
    mail = read_body(body, sender, subject)
    assert (mail.intent, mail.cautions) == (Intent.ENDORSE, ())
    assert [one.name for one in mail.signers] == [signer.name]
    first = mail.signers[0]
    expected = (signer.title or first.title, signer.affiliation, signer.place or first.place, signer.country)
    assert (first.title, first.affiliation, first.place, first.country) == expected
    if words is not None:
        assert " ".join(mail.words.split()) == " ".join(words.split())
