#include "guards/sensitive_scan.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/checkdigit.h"

enum {
    LOCAL_MAX = 64, /* RFC 5321: of an address, and its domain */
    DOMAIN_MAX = 255,
    GROUP_MAX = 4, /* digits of an IPv6 address, up to a colon */
    LETTERED_LEAST = 9,
    LETTERED_MAX = 18
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

/* ---- addresses --------------------------------------------------------------------------------
 */

static bool is_local(char c)
{
    return isalnum((unsigned char)c) || strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL;
}

/* icon@2x.png, getty@tty1.service */
static bool is_file(const char *s, size_t n)
{
    static const char *const kinds[] = {"png", "jpg",     "jpeg",   "gif",   "svg",   "webp", "js",
                                        "css", "service", "socket", "timer", "slice", "scope"};
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
           (scan_is_alnum(s->text[i]) || s->text[i] == '-' || s->text[i] == '.' ||
            (i > from && ((unsigned char)s->text[i] & 0xC0) == 0x80))) {
        if (s->text[i] == '.') {
            if (i == from || scan_at(s, i + 1) == '.')
                break;
            if (!scan_is_alnum(scan_at(s, i + 1)))
                break;
            dot = i;
        }
        i++;
    }
    while (i > from && !scan_is_alnum(scan_before(s, i)))
        i--;
    if (!dot || i - dot < 3 || is_file(s->text + dot + 1, i - dot - 1))
        return 0;
    for (size_t k = dot + 1; k < i; k++)
        if (scan_is_digit(s->text[k]))
            return 0;
    return i;
}

/* `width` of the sign: '@', or "%40" in an address of the web. */
static size_t read_email(struct scan *s, size_t sign, size_t width)
{
    const size_t found = s->out->count ? s->out->items[s->out->count - 1].to : 0;
    const size_t last = found > s->escape ? found : s->escape;
    const size_t to = domain_end(s, sign + width);
    size_t from = sign;
    if (!to)
        return 0;
    while (from > last && sign - from < LOCAL_MAX) {
        if (is_local(s->text[from - 1]))
            from--;
        else if (from > last + 1 && ((unsigned char)s->text[from - 1] & 0xC0) == 0x80 &&
                 (unsigned char)s->text[from - 2] >= 0xC3 &&
                 (unsigned char)s->text[from - 2] <= 0xDF)
            from -= 2; /* a letter of Latin, Greek or Cyrillic */
        else
            break;
    }
    for (size_t i = sign; i > from; i--) /* user=k@example.org */
        if (strchr("=&?/|`{", s->text[i - 1])) {
            from = i;
            break;
        }
    while (from < sign && strchr("'`{|=/.&?*", s->text[from]))
        from++;
    if (sign - from == 3 && memcmp(s->text + from, "git", 3) == 0)
        return 0; /* git@github.com:… is a place */
    if (from == sign)
        return 0;
    spans_add(s->out, SENSITIVE_EMAIL, from, to);
    return to;
}

/* ---- what begins with a letter ----------------------------------------------------------------
 */

static size_t read_iban(struct scan *s, size_t from)
{
    char id[40];
    size_t n = 0, i = from, end = 0;
    if (!scan_is_digit(scan_at(s, from + 2)) || !scan_is_digit(scan_at(s, from + 3)))
        return 0; /* most words */
    const char country[2] = {(char)toupper((unsigned char)s->text[from]),
                             (char)toupper((unsigned char)s->text[from + 1])};
    const size_t want = check_iban_length(country);
    if (!want)
        return 0;
    while (n < want && i < s->len) {
        const char c = s->text[i];
        if (isalnum((unsigned char)c)) {
            id[n++] = (char)toupper((unsigned char)c);
            end = i + 1;
        } else {
            const size_t step = c == '/' ? 0 : scan_separator(s, i);
            if (step == 0 || !isalnum((unsigned char)scan_at(s, i + step)))
                break;
            i += step - 1;
        }
        i++;
    }
    return n == want && !scan_same_token(scan_at(s, end)) && check_iban(id, n) ? end : 0;
}

/* "AB 12 34 56 C" as one word; its end, 0: it is none. */
static size_t read_spaced(const struct scan *s, size_t from, char id[LETTERED_MAX])
{
    static const char form[] = "AA 00 00 00 A";
    size_t n = 0, i = 0;
    for (; form[i]; i++) {
        const char c = scan_at(s, from + i);
        if (form[i] == 'A'   ? !isupper((unsigned char)c)
            : form[i] == '0' ? !scan_is_digit(c)
                             : c != ' ')
            return 0;
        if (c != ' ')
            id[n++] = c;
    }
    return scan_same_token(scan_at(s, from + i)) ? 0 : from + i;
}

/* An id that begins with a letter, in the word that ends at `to`. */
static size_t read_lettered(const struct scan *s, size_t from, size_t to)
{
    char id[LETTERED_MAX];
    size_t n = to - from;
    if (n == 2 && (to = read_spaced(s, from, id)) != 0)
        n = 9;
    else if (n < LETTERED_LEAST || n > LETTERED_MAX)
        return 0; /* most words */
    else
        for (size_t i = 0; i < n; i++)
            id[i] = (char)toupper((unsigned char)s->text[from + i]);
    for (const struct lettered_scheme *k = lettered_schemes; k->valid; k++)
        if (k->len == n && k->valid(id) && (!k->cues || scan_has_cue(s, from, CUE_BYTES, k->cues)))
            return to;
    return 0;
}

/* Both ends of "2001:db8::1"; a zone or port behind it is not part of it. */
static size_t read_ipv6(const struct scan *s, size_t from)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n = 0, colons = 0, digits = 0;
    while (n < GROUP_MAX && isxdigit((unsigned char)scan_at(s, from + n)))
        n++;
    if (scan_at(s, from + n) != ':')
        return 0; /* most words */
    n = 0;
    while (n < sizeof text - 1 && (isxdigit((unsigned char)scan_at(s, from + n)) ||
                                   scan_at(s, from + n) == ':' || scan_at(s, from + n) == '.')) {
        text[n] = s->text[from + n];
        if (n > 1 && text[n] == ':' && text[n - 1] == ':' && text[n - 2] == ':')
            return 0;
        colons += text[n] == ':';
        digits += text[n] != ':';
        n++;
    }
    while (n && (text[n - 1] == '.' || (text[n - 1] == ':' && (n < 2 || text[n - 2] != ':')))) {
        colons -= text[n - 1] == ':';
        n--;
    }
    text[n] = '\0';
    return colons >= 2 && strpbrk(text, "0123456789") && n > 2 &&
                   (digits > 2 || strcmp(text, "::1") == 0) &&
                   !scan_same_token(scan_at(s, from + n)) &&
                   inet_pton(AF_INET6, text, &address) == 1
               ? from + n
               : 0;
}

/* Where the word that `i` is in ends, or `i`. */
static size_t word_end(struct scan *s, size_t i)
{
    if (i >= s->word_from && i < s->word_to)
        return s->word_to;
    static const byte_set rest = {SCAN_TOKEN, BYTES_CONTINUED};
    s->word_from = i;
    while (i < s->len && bytes_has(rest, s->text[i]))
        i++;
    s->word_to = i;
    return i;
}

/* X1234567L, X-1234567-L */
static bool begins_nie(const struct scan *s, size_t from)
{
    const char c = (char)(s->text[from] | 32), next = scan_at(s, from + 1);
    return c >= 'x' && c <= 'z' &&
           (scan_is_digit(next) ||
            ((next == '-' || next == '.') && scan_is_digit(scan_at(s, from + 2))));
}

static size_t read_token(struct scan *s, size_t from)
{
    size_t end = 0, secret, to;
    if ((s->text[from] | 32) == 'b' && scan_wants(s, SENSITIVE_API_KEY) && s->len - from > 3 &&
        strncasecmp(s->text + from, "bot", 3) == 0 && (end = scan_bot_token(s, from + 3)) != 0) {
        spans_add(s->out, SENSITIVE_API_KEY, from + 3, end);
        return end;
    }
    if (scan_wants(s, SENSITIVE_API_KEY) &&
        secret_at(s->text, s->len, from, &s->before->value, &secret, &to)) {
        spans_add(s->out, SENSITIVE_API_KEY, secret, to);
        return to;
    }
    const size_t glued = (s->text[from] | 32) == 'i' && s->len - from > 4 &&
                                 strncasecmp(s->text + from, "iban", 4) == 0 &&
                                 isalpha((unsigned char)s->text[from + 4])
                             ? 4
                             : 0;
    if (scan_wants(s, SENSITIVE_IBAN) && (end = read_iban(s, from + glued)) != 0) {
        from += glued;
        spans_add(s->out, SENSITIVE_IBAN, from, end);
        return end;
    }
    if (scan_wants(s, SENSITIVE_ID) &&
        ((end = read_lettered(s, from, word_end(s, from))) != 0 ||
         (begins_nie(s, from) && (end = scan_lettered(s, from)) != 0))) {
        spans_add(s->out, SENSITIVE_ID, from, end);
        return end;
    }
    return 0;
}

/* ---- all --------------------------------------------------------------------------------------
 */

/* A password behind a word for it in another script. */
static size_t read_secret_word(struct scan *s, size_t i)
{
    size_t from, to;
    const size_t n = scan_wants(s, SENSITIVE_API_KEY) ? secret_word_at(s->text, s->len, i) : 0;
    if (!n || !secret_behind(s->text, s->len, i + n, &s->before->value, &from, &to))
        return 0;
    spans_add(s->out, SENSITIVE_API_KEY, from, to);
    return to;
}

/* Is there a colon at `i` or behind it, at most so many bytes away? */
static bool is_colon_near(struct scan *s, size_t i, size_t bytes)
{
    if (s->colon <= i && s->colon < s->len) {
        const char *colon = memchr(s->text + i, ':', s->len - i);
        s->colon = colon ? (size_t)(colon - s->text) : s->len;
    }
    return s->colon < s->len && s->colon - i <= bytes;
}

/* What begins at `i`, where no word does yet; returns where to go on, 0: nothing. */
static size_t read_start(struct scan *s, size_t i)
{
    const char c = s->text[i];
    size_t end = 0;
    const bool goes_on = i > 0 && (s->text[i - 1] == ':' ||
                                   scan_is_alnum(s->text[i - 1])); /* it would have begun before */
    if (is_colon_near(s, i, GROUP_MAX) && !goes_on &&
        (isxdigit((unsigned char)c) || (c == ':' && scan_at(s, i + 1) == ':')) &&
        scan_wants(s, SENSITIVE_IP) && (end = read_ipv6(s, i)) != 0) {
        spans_add(s->out, SENSITIVE_IP, i, end);
        return end;
    }
    if (scan_is_digit(c))
        return scan_digits(s, i);
    if ((unsigned char)c >= 0x80)
        return read_secret_word(s, i);
    return isalpha((unsigned char)c) ? read_token(s, i) : 0;
}

static size_t read_sign(struct scan *s, size_t i)
{
    static const char *const logins[] = {"curl", "wget", NULL}, *const passwords[] = {
                                                                    "sshpass", "mysql", NULL};
    const char c = s->text[i];
    size_t end = 0, from;
    if (c == '@' && scan_wants(s, SENSITIVE_EMAIL))
        return read_email(s, i, 1);
    if (c == '%' && scan_wants(s, SENSITIVE_EMAIL) && scan_at(s, i + 1) == '4' &&
        scan_at(s, i + 2) == '0')
        return read_email(s, i, 3);
    if (c == '+' && scan_wants(s, SENSITIVE_PHONE) && scan_is_digit(scan_at(s, i + 1)))
        return scan_plus_phone(s, i);
    if (c == '(' && scan_wants(s, SENSITIVE_PHONE) && scan_is_digit(scan_at(s, i + 1)))
        return scan_bracketed_phone(s, i);
    if (c == '-' && scan_wants(s, SENSITIVE_API_KEY) && i > 0 && s->text[i - 1] == ' ' &&
        scan_has_cue(s, i, CUE_BYTES, scan_at(s, i + 1) == 'u' ? logins : passwords) &&
        secret_flag_at(s->text, s->len, i, &from, &end)) {
        spans_add(s->out, SENSITIVE_API_KEY, from, end);
        return end;
    }
    if (c == '-' && scan_wants(s, SENSITIVE_PRIVATE_KEY) &&
        (end = private_key_at(s->text, s->len, i)) != 0)
        spans_add(s->out, SENSITIVE_PRIVATE_KEY, i, end);
    return end;
}

void sensitive_read(uint32_t mask, const char *text, size_t len, struct spans *out)
{
    /* Bytes of ASCII that nothing begins with, and that are in no word: the spaces, most of all. */
    static const byte_set idle = {BYTES_8(0),   BYTES_16(8),  BYTES_8(24),   BYTES_4(' '),
                                  ['$'] = true, ['&'] = true, ['\''] = true, [')'] = true,
                                  ['*'] = true, [','] = true, ['.'] = true,  ['/'] = true,
                                  BYTES_4(';'), ['?'] = true, ['['] = true,  [']'] = true,
                                  ['^'] = true, ['`'] = true, BYTES_4('{')};
    struct before before = {.pos = SIZE_MAX};
    struct scan s = {.before = &before, .text = text, .len = len, .mask = mask, .out = out};
    bool inside = false; /* of a word */
    out->count = 0;
    for (size_t i = 0; i < len && out->count < SPANS_MAX;) {
        if (inside)
            before.word = i = word_end(&s, i);
        while (i < len && bytes_has(idle, text[i])) {
            inside = false;
            i++;
        }
        if (i == len)
            break;
        const char c = text[i];
        size_t end = 0;
        if (c == '\\' && i + 1 < len &&
            strchr("nrt", text[i + 1])) { /* a line's end, as programs write it */
            s.escape = i += 2;
            inside = false;
            continue;
        }
        if (c == '@' || c == '+' || c == '(' || c == '-' || c == '%')
            end = read_sign(&s, i);
        if (!end && !inside)
            end = read_start(&s, i);
        inside = end ? false : scan_same_token(c);
        i = end ? end : i + 1;
        while (!end && (unsigned char)c >= 0x80 && i < len &&
               ((unsigned char)text[i] & 0xC0) == 0x80)
            before.word = ++i; /* the rest of the character */
    }
}
