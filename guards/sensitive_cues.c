/* Words in front of a number that say what it is. */
#include <string.h>

#include "guards/sensitive_scan.h"

/* What a card's number is called. */
const char *const scan_card_cues[] = {"card",  "karte", "carte",  "tarjeta", "carta", "cartão",
                                      "kaart", "visa",  "master", "amex",    "pan ",  NULL};

/* Numbers of something else, of which one in ten has a card's check digit. */
const char *const scan_other_cues[] = {
    "order",          "tracking",        "transaction",    "txn",
    "message_id",     "message id",      "auftragsnummer", "bestellnummer",
    "sendungsnummer", "rechnungsnummer", "commande",       "pedido",
    "ordine",         "serial",          "imei",           "gclid",
    "parcel",         "shipment",        "invoice",        NULL};

const char *const scan_browser_cues[] = {"firefox ", "chrome ", "chromium ", NULL};
const char *const scan_version_cues[] = {
    "version ",    "version: ", "version=\"",   "versions ",      "release ",
    "ver. ",       "build ",    "section ",     "sections ",      "chapter ",
    "clause ",     "clauses ",  "§ ",           "kapitel ",       "abschnitt ",
    "alinéa ",     "rev. ",     "rev ",         "jdk ",           "java ",
    "jre ",        "bios ",     "oid ",         "oid: ",          "firmware ",
    "kernel ",     "driver ",   "upgraded to ", "upgraded from ", "update to ",
    "updated to ", "wersja ",   "версия ",      "版本",           "sürüm ",
    "versie ",     "versión ",  "versione ",    "versão ",        NULL};

const char *const scan_phone_cues[] = {
    "rückfragen", "erreichbar", "ruft ",     "mon numéro", "fijo",       "ufficio",  "phone",
    "tel",        "call",       "mobile",    "cell",       "fax",        "whatsapp", "wa.me",
    "sms",        "telefon",    "fon",       "handy",      "natel",      "movil",    "móvil",
    "llama",      "llám",       "appel",     "portable",   "joindre",    "telefono", "telefone",
    "celular",    "ligue",      "me liga",   "liga para",  "ligar",      "text me",  "dial",
    "ring ",      "numer",      "rufnummer", "anruf",      "ruf ",       "reach ",   "gsm",
    "电话",       "電話",       "手机",      "手機",       "拨打",       "联系",     "携帯",
    "전화",       "연락처",     "휴대",      "телефон",    "тел.",       "тел:",     "звон",
    "Звон",       "Тел",        "моб",       "number is",  "durchwahl",  "mob.",     "ph:",
    "hotline",    "mobil",      "puh",       "tlf",        "bel ",       "bellen",   "cep:",
    "cep ",       "sđt",        "sĐt",       "hubungi",    "điện thoại", "טלפון",    "הטלפון",
    "هاتف",       "جوال",       "मोबाइल",    "फ़ोन",        "telp",       "nomor",    NULL};

/* Remembers what stands before `pos`, in lower case, and where a cue may begin in it: with a word,
 * or with what is in none. */
static void look_before(const struct scan *s, size_t pos)
{
    struct before *b = s->before;
    b->pos = pos;
    b->len = pos < CUE_BYTES ? pos : CUE_BYTES;
    b->start_count = 0;
    memset(b->begins, 0, sizeof b->begins);
    const char *text = s->text + pos - b->len;
    bool inside = scan_is_alnum(scan_before(s, pos - b->len)); /* of a word */
    for (size_t i = 0; i < b->len; i++) {
        const char c = text[i];
        b->text[i] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
        if (((unsigned char)c & 0xC0) == 0x80)
            continue; /* the rest of a character */
        const bool alnum = scan_is_alnum(c);
        if (!alnum || !inside) {
            b->starts[b->start_count++] = (unsigned char)i;
            b->begins[(unsigned char)b->text[i]] = true;
        }
        inside = alnum;
    }
}

static bool begins_somewhere(const struct before *b, size_t least, const char *cue)
{
    const size_t n = strlen(cue);
    for (size_t i = b->start_count; i-- > 0 && b->starts[i] >= least;) {
        const char *at = b->text + b->starts[i];
        if (at[0] == cue[0] && b->starts[i] + n <= b->len && memcmp(at, cue, n) == 0)
            return true;
    }
    return false;
}

bool scan_has_cue(const struct scan *s, size_t pos, size_t bytes, const char *const *cues)
{
    struct before *b = s->before;
    if (!scan_has_words(s, pos, bytes))
        return false;
    if (b->pos != pos)
        look_before(s, pos);
    const size_t least = b->len > bytes ? b->len - bytes : 0;
    for (; *cues; cues++)
        if (bytes_has(b->begins, **cues) && begins_somewhere(b, least, *cues))
            return true;
    return false;
}
