#include "guards/sensitive.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/checkdigit.h"

enum {
    DIGITS_MAX = 24, /* of a number with its groups */
    GROUPS_MAX = 9,
    CUE_BYTES = 96, /* in front of a number, that may say what it is */
    PHONE_CUE = 28,
    LOCAL_MAX = 64, /* RFC 5321: of an address, and its domain */
    DOMAIN_MAX = 255
};

const char *const sensitive_names[SENSITIVE_KINDS] = {
    "email", "phone", "card", "iban", "national_id", "ip", "api_key", "private_key"};

/* ---- spans ------------------------------------------------------------------------------------
 */

void spans_init(struct spans *s)
{
    *s = (struct spans){0};
}

void spans_free(struct spans *s)
{
    free(s->items);
    spans_init(s);
}

void spans_add(struct spans *s, uint32_t kind, size_t from, size_t to)
{
    if (s->count == SPANS_MAX)
        return;
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->items = mem_array(s->items, s->cap, sizeof *s->items);
    }
    s->items[s->count++] = (struct span){(uint32_t)from, (uint32_t)to, kind};
}

struct scan {
    const char *text;
    size_t len;
    uint32_t mask;
    struct spans *out;
};

static bool wants(const struct scan *s, enum sensitive_kind k)
{
    return s->mask & 1U << k;
}

static char at(const struct scan *s, size_t i)
{
    return i < s->len ? s->text[i] : '\0';
}

/* Letters of any script, digits and underscores: what goes on with a word. */
static bool same_token(char c)
{
    static const uint32_t token[8] = {0,          0x03FF0000, 0x87FFFFFE, 0x07FFFFFE,
                                      UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    return token[(unsigned char)c / 32] >> (unsigned char)c % 32 & 1;
}

static bool is_alnum(char c)
{
    return same_token(c) && c != '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Is one of the words (lower case, separated by '|') within so many bytes in front? */
static bool has_cue(const struct scan *s, size_t pos, size_t bytes, const char *cues)
{
    char before[CUE_BYTES + 1];
    const size_t n = pos < bytes ? pos : bytes;
    for (size_t i = 0; i < n; i++)
        before[i] = (char)tolower((unsigned char)s->text[pos - n + i]);
    while (*cues) {
        const size_t len = strcspn(cues, "|");
        const char *found = len ? memmem(before, n, cues, len) : NULL;
        const size_t in = found ? pos - n + (size_t)(found - before) : 0;
        if (found && (in == 0 || !is_alnum(s->text[in - 1]) || !is_alnum(*found)))
            return true;
        cues += len + (cues[len] == '|');
    }
    return false;
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static bool is_local(char c)
{
    return isalnum((unsigned char)c) || strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL;
}

/* icon@2x.png */
static bool is_file(const char *s, size_t n)
{
    static const char *const kinds[] = {"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i]) == n && strncasecmp(s, kinds[i], n) == 0)
            return true;
    return false;
}

/* The end of a domain name with a dot and a top level of letters; 0: there is none. */
static size_t domain_end(const struct scan *s, size_t from)
{
    size_t i = from, dot = 0;
    while (i < s->len && i - from < DOMAIN_MAX &&
           (is_alnum(s->text[i]) || s->text[i] == '-' || s->text[i] == '.')) {
        if (s->text[i] == '.') {
            if (i == from || at(s, i + 1) == '.')
                break;
            if (!is_alnum(at(s, i + 1)))
                break;
            dot = i;
        }
        i++;
    }
    while (i > from && !is_alnum(s->text[i - 1]))
        i--;
    if (!dot || i - dot < 3 || is_file(s->text + dot + 1, i - dot - 1))
        return 0;
    for (size_t k = dot + 1; k < i; k++)
        if (is_digit(s->text[k]))
            return 0;
    return i;
}

static size_t read_email(struct scan *s, size_t sign)
{
    const size_t last = s->out->count ? s->out->items[s->out->count - 1].to : 0;
    size_t from = sign;
    while (from > last && sign - from < LOCAL_MAX &&
           (is_local(s->text[from - 1]) || (unsigned char)s->text[from - 1] >= 0x80))
        from--;
    for (size_t i = sign; i > from; i--) /* user=k@example.org */
        if (strchr("=&?/|`{", s->text[i - 1])) {
            from = i;
            break;
        }
    while (from < sign && strchr("'`{|=/.&?*", s->text[from]))
        from++;
    const size_t to = from < sign ? domain_end(s, sign + 1) : 0;
    if (to)
        spans_add(s->out, SENSITIVE_EMAIL, from, to);
    return to;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* Digits in groups, one separator between them. */
struct number {
    char digits[DIGITS_MAX + 1];
    size_t pos[DIGITS_MAX];
    size_t count;
    size_t group[GROUPS_MAX + 1]; /* the first digit of each */
    size_t groups;
    char separator; /* between the first two; 0: there is none */
    bool mixed;     /* they are not all alike */
    size_t end;     /* behind the last digit */
    bool whole;     /* it was read to its end */
};

static void read_number(const struct scan *s, size_t from, struct number *n)
{
    size_t i = from;
    *n = (struct number){.whole = true};
    n->groups = 1;
    for (;; i++) {
        if (is_digit(at(s, i))) {
            if (n->count == DIGITS_MAX) {
                n->whole = false;
                break;
            }
            n->pos[n->count] = i;
            n->digits[n->count++] = s->text[i];
            n->end = i + 1;
            continue;
        }
        const char c = at(s, i);
        if (!(c && strchr(" -./", c)) || !is_digit(at(s, i + 1)))
            break;
        if (n->groups == GROUPS_MAX) {
            n->whole = false;
            break;
        }
        n->mixed |= n->separator && n->separator != c;
        n->separator = n->separator ? n->separator : c;
        n->group[n->groups++] = n->count;
    }
    n->group[n->groups] = n->count;
}

/* Are the groups first..last those of the pattern ("334"; a dot stands for nothing)? */
static bool has_groups(const struct number *n, size_t first, size_t last, const char *pattern)
{
    for (; first <= last; pattern++) {
        if (*pattern == '.')
            continue;
        if (!*pattern || n->group[first + 1] - n->group[first] != (size_t)(*pattern - '0'))
            return false;
        first++;
    }
    return !*pattern;
}

static bool is_id(const struct scan *s, const struct number *n, size_t first, size_t last)
{
    const char *digits = n->digits + n->group[first];
    const size_t count = n->group[last + 1] - n->group[first];
    for (const struct id_scheme *i = id_schemes; i->name; i++) {
        const bool grouped = i->groups && first < last && has_groups(n, first, last, i->groups);
        if (i->digits != count || (first < last && i->groups && !grouped) || !i->valid(digits))
            continue;
        const size_t pos = n->pos[n->group[first]];
        const bool told = has_cue(s, pos, CUE_BYTES, i->cues);
        if (told || (i->strong && (i->groups == NULL || grouped || count > 11)) ||
            (grouped && i->valid != NULL && !i->strong && n->separator == '-' && count == 9))
            return true;
    }
    return false;
}

/* Cards are written as a whole or in groups of four to six, the last may be shorter or longer. */
static bool is_card(const struct number *n, size_t first, size_t last)
{
    const size_t count = n->group[last + 1] - n->group[first];
    for (size_t g = first; first < last && g < last; g++) {
        const size_t len = n->group[g + 1] - n->group[g];
        if (len < 4 || len > 6)
            return false;
    }
    if (first < last && (n->group[last + 1] - n->group[last] < 1 || n->mixed ||
                         n->separator == '.' || n->separator == '/'))
        return false;
    return check_card(n->digits + n->group[first], count);
}

/* Four numbers up to 255 with dots, and no more of them: where they end; 0: it is none. */
static size_t read_ipv4(const struct scan *s, size_t from)
{
    size_t i = from;
    const char before = from ? s->text[from - 1] : ' ';
    for (int part = 0; part < 4; part++) {
        int v = 0;
        size_t n = 0;
        for (; n < 4 && is_digit(at(s, i)); n++)
            v = v * 10 + (s->text[i++] - '0');
        if (n == 0 || n > 3 || v > 255 || (part < 3 && at(s, i++) != '.'))
            return 0;
    }
    const bool more = (at(s, i) == '.' && is_digit(at(s, i + 1))) || is_alnum(at(s, i));
    return more || before == '.' || before == '-' ||
                   has_cue(s, from, 10, "version |release |ver. |build |v.|v|version: ")
               ? 0
               : i;
}

/* Which groups are something, the longest first. */
static bool read_groups(struct scan *s, const struct number *n, size_t *end)
{
    for (size_t span = n->groups; span-- > 0;)
        for (size_t first = 0; first + span < n->groups; first++) {
            const size_t last = first + span, from = n->pos[n->group[first]],
                         to = n->pos[n->group[last + 1] - 1] + 1;
            const bool card = wants(s, SENSITIVE_CARD) && is_card(n, first, last);
            if (!card && !(wants(s, SENSITIVE_ID) && is_id(s, n, first, last)))
                continue;
            spans_add(s->out, card ? SENSITIVE_CARD : SENSITIVE_ID, from, to);
            *end = to;
            return true;
        }
    return false;
}

/* Finnish and Spanish ids go on with a letter behind their digits. */
static size_t read_lettered(struct scan *s, size_t from)
{
    char id[16];
    size_t n = 0, i = from;
    while (n < 14 && (isalnum((unsigned char)at(s, i)) ||
                      (strchr("-+.", at(s, i)) && isalnum((unsigned char)at(s, i + 1)))))
        id[n++] = (char)toupper((unsigned char)s->text[i++]);
    if (is_alnum(at(s, i)))
        return 0;
    if (check_hetu(id, n))
        return i;
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
        if (id[k] != '-' && id[k] != '.')
            id[m++] = id[k];
    return check_dni(id, m) ? i : 0;
}

static const char phone_cues[] = "phone|tel|call|mobile|cell|fax|whatsapp|sms|telefon|fon|handy|"
                                 "movil|móvil|llama|appel|portable|"
                                 "telefono|telefone|celular|text me|dial|ring "
                                 "|numer|contact|rufnummer|anruf|reach |gsm|电话|電話|"
                                 "전화|телефон|number is|durchwahl|mob.|ph:|hotline|mobil|puh|tlf";

/* E.164 has at most 15 digits. */
static bool is_phone(const struct scan *s, const struct number *n, size_t from, bool plus)
{
    if (!n->whole || n->count < 7 || n->count > 15)
        return false;
    if (plus)
        return n->count >= 8;
    if (n->count >= 11 && n->digits[0] == '0' && n->digits[1] == '0')
        return has_cue(s, from, PHONE_CUE, phone_cues) || n->groups > 2;
    if (has_groups(n, 0, n->groups - 1, "334") && (n->separator == '-' || n->separator == '.'))
        return !n->mixed;
    if (n->digits[0] == '0' && n->groups == 5 && has_groups(n, 0, 4, "22222"))
        return true;
    return has_cue(s, from, PHONE_CUE, phone_cues) && n->count >= 7 && n->count <= 13 &&
           !(n->groups == 3 && has_groups(n, 0, 2, "422"));
}

/* "(415) 555-0142": the area is in brackets. */
static size_t read_bracketed_phone(struct scan *s, size_t open)
{
    struct number a, b;
    read_number(s, open + 1, &a);
    if (a.groups != 1 || a.count < 2 || a.count > 5 || at(s, a.end) != ')')
        return 0;
    size_t next = a.end + 1;
    next += at(s, next) == ' ' || at(s, next) == '-';
    if (!is_digit(at(s, next)))
        return 0;
    read_number(s, next, &b);
    const bool us = a.count == 3 && has_groups(&b, 0, b.groups - 1, "34");
    const bool plus = open > 0 && strchr("0123456789 ", s->text[open - 1]) &&
                      memrchr(s->text, '+', open) && open < 8;
    if (!b.whole || a.count + b.count < 7 || a.count + b.count > 14 ||
        !(us || plus || a.digits[0] == '0' || has_cue(s, open, PHONE_CUE, phone_cues)))
        return 0;
    spans_add(s->out, SENSITIVE_PHONE, open, b.end);
    return b.end;
}

/* "+49 (0)30 123456" */
static size_t read_plus_phone(struct scan *s, size_t plus)
{
    size_t i = plus + 1, digits = 0, end = 0;
    bool gap = false;
    for (; i < s->len && digits <= 15; i++) {
        const char c = s->text[i];
        if (is_digit(c)) {
            digits++;
            end = i + 1;
            gap = false;
        } else if (strchr(" -./()", c) && (!gap || c == '(' || c == ')' || s->text[i - 1] == ')')) {
            gap = true;
        } else {
            break;
        }
    }
    if (digits < 8 || digits > 15 || at(s, plus + 1) == '0' || is_alnum(at(s, end)) ||
        (plus > 0 && is_alnum(s->text[plus - 1])))
        return 0;
    spans_add(s->out, SENSITIVE_PHONE, plus, end);
    return end;
}

static size_t read_digits(struct scan *s, size_t from)
{
    struct number n;
    size_t end;
    if (wants(s, SENSITIVE_IP) && (end = read_ipv4(s, from)) != 0) {
        spans_add(s->out, SENSITIVE_IP, from, end);
        return end;
    }
    read_number(s, from, &n);
    const char next = at(s, n.end), after = at(s, n.end + 1);
    if (wants(s, SENSITIVE_ID) && n.count <= 10 && (end = read_lettered(s, from)) != 0) {
        spans_add(s->out, SENSITIVE_ID, from, end);
        return end;
    }
    if (wants(s, SENSITIVE_ID) && n.count == 17 && n.groups == 1 && (next | 32) == 'x' &&
        !is_alnum(after)) {
        n.digits[n.count++] = 'X';
        if (id_schemes[0].valid(n.digits)) {
            spans_add(s->out, SENSITIVE_ID, from, n.end + 1);
            return n.end + 1;
        }
        n.count--;
    }
    if (same_token(next) || !n.whole)
        return n.end;
    if (read_groups(s, &n, &end))
        return end;
    else if (wants(s, SENSITIVE_PHONE) && is_phone(s, &n, from, false))
        spans_add(s->out, SENSITIVE_PHONE, from, n.end);
    return n.end;
}

/* ---- what begins with a letter ----------------------------------------------------------------
 */

static size_t read_iban(struct scan *s, size_t from)
{
    char id[40];
    size_t n = 0, i = from, end = 0;
    const char country[2] = {(char)toupper((unsigned char)at(s, from)),
                             (char)toupper((unsigned char)at(s, from + 1))};
    if (!is_digit(at(s, from + 2)) || !is_digit(at(s, from + 3)))
        return 0;
    const size_t want = check_iban_length(country);
    if (!want)
        return 0;
    while (n < want && i < s->len) {
        const char c = s->text[i];
        if (isalnum((unsigned char)c)) {
            id[n++] = (char)toupper((unsigned char)c);
            end = i + 1;
        } else if (!((c == ' ' || c == '-') && isalnum((unsigned char)at(s, i + 1)))) {
            break;
        }
        i++;
    }
    return n == want && !same_token(at(s, end)) && check_iban(id, n) ? end : 0;
}

static size_t read_codice(const struct scan *s, size_t from)
{
    char id[16];
    size_t n = 0;
    if (!isalnum((unsigned char)at(s, from + 15)) || is_digit(at(s, from)))
        return 0;
    while (n < 16 && isalnum((unsigned char)at(s, from + n))) {
        id[n] = (char)toupper((unsigned char)s->text[from + n]);
        n++;
    }
    return !same_token(at(s, from + n)) && check_codice_fiscale(id, n) ? from + n : 0;
}

/* Both ends of "2001:db8::1"; a zone or port behind it is not part of it. */
static size_t read_ipv6(const struct scan *s, size_t from)
{
    char text[INET6_ADDRSTRLEN] = {0};
    struct in6_addr address;
    size_t n = 0, colons = 0, digits = 0;
    while (n < sizeof text - 1 && (isxdigit((unsigned char)at(s, from + n)) ||
                                   at(s, from + n) == ':' || at(s, from + n) == '.')) {
        text[n] = s->text[from + n];
        if (n > 1 && text[n] == ':' && text[n - 1] == ':' && text[n - 2] == ':')
            return 0;
        colons += text[n] == ':';
        digits += text[n] != ':';
        n++;
    }
    while (n && (text[n - 1] == '.' || (text[n - 1] == ':' && (n < 2 || text[n - 2] != ':')))) {
        colons -= text[n - 1] == ':';
        text[--n] = '\0';
    }
    return colons >= 2 && digits > 0 && n > 2 && !same_token(at(s, from + n)) &&
                   inet_pton(AF_INET6, text, &address) == 1
               ? from + n
               : 0;
}

static size_t read_token(struct scan *s, size_t from)
{
    size_t end = 0, secret, to;
    if (wants(s, SENSITIVE_API_KEY) && secret_at(s->text, s->len, from, &secret, &to)) {
        spans_add(s->out, SENSITIVE_API_KEY, secret, to);
        return to;
    }
    if (wants(s, SENSITIVE_IBAN) && (end = read_iban(s, from)) != 0) {
        spans_add(s->out, SENSITIVE_IBAN, from, end);
        return end;
    }
    if (wants(s, SENSITIVE_ID) &&
        ((end = read_codice(s, from)) != 0 ||
         (strchr("XYZxyz", s->text[from]) && (end = read_lettered(s, from)) != 0))) {
        spans_add(s->out, SENSITIVE_ID, from, end);
        return end;
    }
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------
 */

/* What begins at `i`, where no word does yet; returns where to go on, 0: nothing. */
static size_t read_start(struct scan *s, size_t i)
{
    const char c = s->text[i];
    size_t end = 0;
    if ((isxdigit((unsigned char)c) || (c == ':' && at(s, i + 1) == ':')) &&
        wants(s, SENSITIVE_IP) && (end = read_ipv6(s, i)) != 0) {
        spans_add(s->out, SENSITIVE_IP, i, end);
        return end;
    }
    if (is_digit(c))
        return read_digits(s, i);
    return isalpha((unsigned char)c) ? read_token(s, i) : 0;
}

static size_t read_sign(struct scan *s, size_t i)
{
    const char c = s->text[i];
    size_t end = 0;
    if (c == '@' && wants(s, SENSITIVE_EMAIL))
        return read_email(s, i);
    if (c == '+' && wants(s, SENSITIVE_PHONE) && is_digit(at(s, i + 1)))
        return read_plus_phone(s, i);
    if (c == '(' && wants(s, SENSITIVE_PHONE) && is_digit(at(s, i + 1)))
        return read_bracketed_phone(s, i);
    if (c == '-' && wants(s, SENSITIVE_PRIVATE_KEY) &&
        (end = private_key_at(s->text, s->len, i)) != 0)
        spans_add(s->out, SENSITIVE_PRIVATE_KEY, i, end);
    return end;
}

void sensitive_read(uint32_t mask, const char *text, size_t len, struct spans *out)
{
    struct scan s = {text, len, mask, out};
    bool inside = false; /* of a word */
    out->count = 0;
    for (size_t i = 0; i < len && out->count < SPANS_MAX;) {
        while (inside && i < len && same_token(text[i]))
            i++;
        if (i == len)
            break;
        const char c = text[i];
        size_t end = 0;
        if (c == '@' || c == '+' || c == '(' || c == '-')
            end = read_sign(&s, i);
        if (!end && !inside)
            end = read_start(&s, i);
        inside = end ? false : same_token(c);
        i = end ? end : i + 1;
    }
}
