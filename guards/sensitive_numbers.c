/* Cards, national ids, telephone numbers: what is made of digits. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "guards/checkdigit.h"
#include "guards/sensitive_scan.h"

enum {
    DIGITS_MAX = 24, /* of a number with its groups */
    GROUPS_MAX = 9,
    PHONE_CUE = 28,
    CARD_CUE = 32,
    OTHER_CUE = 18,
    VERSION_CUE = 13,
    PLUS_BYTES = 6, /* in front of an area in brackets */
    SHORTEST = 9,   /* digits of an id or card */
    LONGEST = 19,
    CARD_GROUPS = 5 /* at most */
};

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* Digits in groups, one separator between them. */
struct number {
    char digits[DIGITS_MAX + 1];
    size_t pos[DIGITS_MAX];
    size_t count;
    size_t group[GROUPS_MAX + 1]; /* the first digit of each */
    size_t groups;
    char separator;              /* between the first two; 0: there is none */
    char before[GROUPS_MAX + 1]; /* each group */
    size_t end;                  /* behind the last digit */
    bool whole;                  /* it was read to its end */
};

static void read_number(const struct scan *s, size_t from, struct number *n)
{
    size_t i = from;
    *n = (struct number){.whole = true};
    n->groups = 1;
    for (;; i++) {
        if (scan_is_digit(scan_at(s, i))) {
            if (n->count == DIGITS_MAX) {
                n->whole = false;
                break;
            }
            n->pos[n->count] = i;
            n->digits[n->count++] = s->text[i];
            n->end = i + 1;
            continue;
        }
        const size_t step = scan_separator(s, i);
        if (step == 0 || !scan_is_digit(scan_at(s, i + step)))
            break;
        if (n->groups == GROUPS_MAX) {
            n->whole = false;
            break;
        }
        n->separator = n->separator ? n->separator : s->text[i];
        n->before[n->groups] = s->text[i];
        n->group[n->groups++] = n->count;
        i += step - 1;
    }
    n->group[n->groups] = n->count;
}

/* Have all of the groups first..last the same separators? */
static bool is_even(const struct number *n, size_t first, size_t last)
{
    for (size_t g = first + 1; g <= last; g++)
        if (n->before[g] != n->before[first + 1])
            return false;
    return true;
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
    for (const struct id_scheme *i = id_schemes; i->name && i->digits >= count; i++) {
        if (i->digits != count)
            continue;
        const size_t pos = n->pos[n->group[first]];
        if (i->proof == TOLD && !scan_has_words(s, pos, CUE_BYTES))
            continue; /* before its digits are checked, which takes longer */
        const bool grouped = i->groups && first < last && has_groups(n, first, last, i->groups);
        if ((first < last && i->groups && !grouped) || !i->valid(digits))
            continue;
        const bool told = i->cues && scan_has_cue(s, pos, CUE_BYTES, i->cues);
        const size_t end = n->pos[n->group[last + 1] - 1] + 1; /* "219-09-9999-A" is longer */
        const bool longer = scan_at(s, end) == '-' && scan_is_alnum(scan_at(s, end + 1));
        if (told || i->proof == ALONE || (i->proof == GROUPED && grouped) ||
            (i->proof == HYPHENED && grouped && n->separator == '-' && !longer))
            return true;
    }
    return false;
}

/* Is the group one of four digits, and the sign at its `edge` that between all? */
static bool is_row(const struct number *n, size_t group, size_t edge)
{
    return n->group[group + 1] - n->group[group] == 4 && n->before[edge] == n->before[1];
}

/* Do groups of four go before those from first to last, or follow? */
static bool is_of_row(const struct number *n, size_t first, size_t last)
{
    return (first > 0 && is_row(n, first - 1, first)) ||
           (last + 1 < n->groups && is_row(n, last + 1, last + 1));
}

/* Is the group the fraction of a number, 0.4539578763621486, or what stands before one? */
static bool is_fraction(const struct scan *s, const struct number *n, size_t first, size_t last)
{
    const size_t from = n->pos[n->group[first]], end = n->pos[n->group[last + 1] - 1] + 1;
    const char sign = from > 1 && scan_is_digit(s->text[from - 2]) ? s->text[from - 1] : ' ';
    const bool zero =
        sign == ',' && s->text[from - 2] == '0' && !scan_is_digit(scan_before(s, from - 2));
    return first == last &&
           (sign == '.' || zero || (scan_at(s, end) == '.' && scan_is_digit(scan_at(s, end + 1))));
}

/* Cards are written as a whole or in groups of four to six, the last may be shorter or longer. Four
 * groups of a longer row of numbers are none, unless a word says so. */
static bool is_card(const struct scan *s, const struct number *n, size_t first, size_t last)
{
    const size_t count = n->group[last + 1] - n->group[first];
    for (size_t g = first; first < last && g < last; g++) {
        const size_t len = n->group[g + 1] - n->group[g];
        if (len < 4 || len > 6)
            return false;
    }
    const bool dots = n->before[last] == '.' && !has_groups(n, first, last, "4444");
    if (first < last && (!is_even(n, first, last) || dots || n->before[last] == '/'))
        return false;
    const bool old = count == 13 && n->digits[n->group[first]] == '4'; /* or an EAN */
    const bool row = first < last && is_of_row(n, first, last);
    const size_t pos = n->pos[n->group[first]];
    if ((row && !scan_has_words(s, pos, CARD_CUE)) ||
        !check_card(n->digits + n->group[first], count))
        return false;
    if (is_fraction(s, n, first, last))
        return false;
    const bool other = first == last && scan_has_cue(s, pos, OTHER_CUE, scan_other_cues);
    return !(row || old || other) || scan_has_cue(s, pos, CARD_CUE, scan_card_cues);
}

/* "v 1.2.3.4", "v. 1.2.3.4" */
static bool is_behind_v(const struct scan *s, size_t from)
{
    size_t i = from;
    i -= i > 0 && s->text[i - 1] == ' ';
    i -= i > 0 && s->text[i - 1] == '.';
    return i > 0 && (s->text[i - 1] | 32) == 'v' && (i == 1 || !scan_is_alnum(s->text[i - 2]));
}

/* RFC 1918 and 1122: of a network of one's own. */
static bool is_local(const int parts[4])
{
    return parts[0] == 10 || parts[0] == 127 || (parts[0] == 192 && parts[1] == 168) ||
           (parts[0] == 172 && parts[1] >= 16 && parts[1] <= 31);
}

/* Four numbers up to 255 with dots, and no more of them: where they end; 0: it is none. */
static size_t read_ipv4(const struct scan *s, size_t from)
{
    size_t i = from;
    int parts[4] = {0};
    const char before = scan_before(s, from);
    for (int part = 0; part < 4; part++) {
        size_t n = 0;
        for (; n < 4 && scan_is_digit(scan_at(s, i)); n++)
            parts[part] = parts[part] * 10 + (s->text[i++] - '0');
        if (n == 0 || n > 3 || parts[part] > 255 || (part < 3 && scan_at(s, i++) != '.'))
            return 0;
    }
    const bool more =
        (scan_at(s, i) == '.' && scan_is_digit(scan_at(s, i + 1))) || scan_is_alnum(scan_at(s, i));
    const bool path = before == '/' && from > 1 && scan_is_alnum(s->text[from - 2]);
    size_t sign = from; /* libfoo >= 1.2.3.4 */
    sign -= sign > 0 && s->text[sign - 1] == ' ';
    const bool needs = sign > 1 && s->text[sign - 1] == '=' && strchr("=<>~!^", s->text[sign - 2]);
    const struct span *last = s->out->count ? &s->out->items[s->out->count - 1] : NULL;
    const bool range = before == '-' && last && last->kind == SENSITIVE_IP && last->to + 1 == from;
    return more || path || needs || is_behind_v(s, from) || before == '.' ||
                   (before == '-' && !range) ||
                   scan_has_cue(s, from, VERSION_CUE, scan_version_cues) ||
                   (!is_local(parts) && scan_has_cue(s, from, VERSION_CUE, scan_browser_cues))
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
            const size_t count = n->group[last + 1] - n->group[first];
            if (count < SHORTEST || count > LONGEST)
                continue;
            const bool card = scan_wants(s, SENSITIVE_CARD) && is_card(s, n, first, last);
            if (!card && !(scan_wants(s, SENSITIVE_ID) && is_id(s, n, first, last)))
                continue;
            spans_add(s->out, card ? SENSITIVE_CARD : SENSITIVE_ID, from, to);
            *end = to;
            return true;
        }
    return false;
}

/* "92424823 J": a space between eight digits and one capital that stands alone. */
static bool is_dni_space(const struct scan *s, size_t from, size_t i)
{
    return scan_at(s, i) == ' ' && i - from >= 8 && i - from <= 10 &&
           isupper((unsigned char)scan_at(s, i + 1)) && !scan_is_alnum(scan_at(s, i + 2));
}

static bool is_id_sign(char c)
{
    return c == '-' || c == '+' || c == '.';
}

/* Finnish, Spanish and Irish ids go on with a letter behind their digits. */
size_t scan_lettered(struct scan *s, size_t from)
{
    static const char *const pps[] = {"pps", NULL};
    char id[16];
    size_t n = 0, i = from;
    while (n < 14 && (isalnum((unsigned char)scan_at(s, i)) ||
                      (is_id_sign(scan_at(s, i)) && isalnum((unsigned char)scan_at(s, i + 1))) ||
                      is_dni_space(s, from, i)))
        id[n++] = (char)toupper((unsigned char)s->text[i++]);
    if (scan_is_alnum(scan_at(s, i)))
        return 0;
    if (check_hetu(id, n))
        return i;
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
        if (id[k] != '-' && id[k] != '.' && id[k] != ' ')
            id[m++] = id[k];
    return check_dni(id, m) || (check_pps(id, m) && scan_has_cue(s, from, CUE_BYTES, pps)) ? i : 0;
}

static bool is_one_digit(const struct number *n)
{
    return strspn(n->digits, (char[]){n->digits[0], '\0'}) == n->count;
}

/* E.164 has at most 15 digits. */
static bool is_phone(const struct scan *s, const struct number *n, size_t from)
{
    if (!n->whole || n->count < 7 || n->count > 15 || is_one_digit(n) ||
        (from > 2 && memcmp(s->text + from - 3, "+++", 3) == 0)) /* a Belgian payment's reference */
        return false;
    if (n->count >= 11 && n->digits[0] == '0' && n->digits[1] == '0')
        return scan_has_cue(s, from, PHONE_CUE, scan_phone_cues) ||
               (n->groups > 2 && is_even(n, 0, n->groups - 1));
    if (has_groups(n, 0, n->groups - 1, "334") && (n->separator == '-' || n->separator == '.'))
        return is_even(n, 0, n->groups - 1) && n->digits[0] > '1' && n->digits[3] > '1'; /* NANP */
    if (n->digits[0] == '1' && n->separator == '-' && has_groups(n, 0, n->groups - 1, "1334"))
        return is_even(n, 0, n->groups - 1);
    if (n->digits[0] == '0' && n->separator == '-' && n->groups == 3 && n->count <= 12 &&
        n->group[1] >= 2 && n->group[2] - n->group[1] >= 3 &&
        n->count - n->group[2] == 4) /* 03-3456-7890 */
        return is_even(n, 0, 2);
    if (n->digits[0] == '0' && n->groups == 5 && has_groups(n, 0, 4, "22222"))
        return true;
    return scan_has_cue(s, from, PHONE_CUE, scan_phone_cues) && n->count <= 13 &&
           !(n->groups >= 3 && has_groups(n, 0, 2, "422") &&
             (n->groups == 3 || n->digits[0] == '2')); /* 2024-03-15 10:30 */
}

/* "(415) 555-0142": the area is in brackets. */
size_t scan_bracketed_phone(struct scan *s, size_t open)
{
    struct number a, b;
    read_number(s, open + 1, &a);
    if (a.groups != 1 || a.count < 2 || a.count > 5 || scan_at(s, a.end) != ')')
        return 0;
    size_t next = a.end + 1;
    next += scan_at(s, next) == ' ' || scan_at(s, next) == '-';
    if (!scan_is_digit(scan_at(s, next)))
        return 0;
    read_number(s, next, &b);
    const bool us = (a.count == 3 && has_groups(&b, 0, b.groups - 1, "34")) ||
                    (a.count == 2 && b.separator == '-' && has_groups(&b, 0, b.groups - 1, "54"));
    const size_t near = open < PLUS_BYTES ? open : PLUS_BYTES; /* "+1 (22) 5550142" */
    const bool plus = open > 0 && strchr("0123456789 ", s->text[open - 1]) &&
                      memrchr(s->text + open - near, '+', near);
    if (!b.whole || a.count + b.count < 7 || a.count + b.count > 14 ||
        !(us || plus || a.digits[0] == '0' || scan_has_cue(s, open, PHONE_CUE, scan_phone_cues)))
        return 0;
    spans_add(s->out, SENSITIVE_PHONE, open, b.end);
    return b.end;
}

/* "25.000.000": groups of three behind dots. */
static bool is_amount(const struct scan *s, size_t from, size_t to)
{
    size_t run = 0, dots = 0;
    for (size_t i = from; i < to; i++) {
        if (s->text[i] == '.') {
            if (dots && run != 3)
                return false;
            dots++;
            run = 0;
        } else if (scan_is_digit(s->text[i])) {
            run++;
        } else {
            return false;
        }
    }
    return dots >= 2 && run == 3;
}

/* "+49 (0)30 123456" */
size_t scan_plus_phone(struct scan *s, size_t plus)
{
    size_t i = plus + 1, digits = 0, end = 0;
    bool gap = false;
    for (; i < s->len && digits <= 15; i++) {
        const char c = s->text[i];
        if (scan_is_digit(c)) {
            digits++;
            end = i + 1;
            gap = false;
        } else if (strchr(" -./()", c) && (!gap || c == '(' || c == ')' || s->text[i - 1] == ')')) {
            gap = true;
        } else {
            break;
        }
    }
    if ((plus > 0 && s->text[plus - 1] == '+') || is_amount(s, plus + 1, end) || digits < 8 ||
        digits > 15 || scan_at(s, plus + 1) == '0' ||
        (scan_at(s, plus + 1) == '1' && digits != 11) || scan_is_alnum(scan_at(s, end)) ||
        (plus > 0 && scan_is_alnum(s->text[plus - 1])))
        return 0;
    spans_add(s->out, SENSITIVE_PHONE, plus, end);
    return end;
}

/* Those born in Corsica have a letter in their NIR: 2A or 2B. */
static size_t read_corsican(const struct scan *s, const struct number *n)
{
    enum { BEFORE = 6, BEHIND = 8 };
    const char letter = (char)(scan_at(s, n->end) & ~32);
    struct number rest;
    char digits[sizeof rest.digits + BEFORE + 2];
    if (n->count != BEFORE || n->digits[BEFORE - 1] != '2' || (letter != 'A' && letter != 'B'))
        return 0;
    const size_t next = n->end + 1 + scan_separator(s, n->end + 1);
    if (!scan_is_digit(scan_at(s, next)))
        return 0;
    read_number(s, next, &rest);
    if (rest.count != BEHIND || scan_same_token(scan_at(s, rest.end)))
        return 0;
    (void)snprintf(digits, sizeof digits, "%.5s%s%s", n->digits, letter == 'A' ? "19" : "18",
                   rest.digits);
    return check_nir(digits) ? rest.end : 0;
}

/* A Telegram bot's: its number, a colon, and 35 characters that begin with two A. */
static size_t bot_token_end(const struct scan *s, const struct number *n)
{
    enum { LEAST = 8, MOST = 10, SECRET = 35 };
    size_t i = n->end + 1;
    if (n->groups != 1 || n->count < LEAST || n->count > MOST || scan_at(s, n->end) != ':' ||
        scan_at(s, i) != 'A' || scan_at(s, i + 1) != 'A')
        return 0;
    while (i - n->end - 1 < SECRET && (scan_same_token(scan_at(s, i)) || scan_at(s, i) == '-'))
        i++;
    return i - n->end - 1 == SECRET && !scan_same_token(scan_at(s, i)) ? i : 0;
}

size_t scan_bot_token(const struct scan *s, size_t from)
{
    struct number n;
    if (!scan_is_digit(scan_at(s, from)))
        return 0;
    read_number(s, from, &n);
    return bot_token_end(s, &n);
}

size_t scan_digits(struct scan *s, size_t from)
{
    struct number n;
    size_t end;
    if (scan_wants(s, SENSITIVE_IP) && (end = read_ipv4(s, from)) != 0) {
        spans_add(s->out, SENSITIVE_IP, from, end);
        return end;
    }
    read_number(s, from, &n);
    const char next = scan_at(s, n.end), after = scan_at(s, n.end + 1);
    if (scan_wants(s, SENSITIVE_ID) && n.count <= 10 && (end = scan_lettered(s, from)) != 0) {
        spans_add(s->out, SENSITIVE_ID, from, end);
        return end;
    }
    if (scan_wants(s, SENSITIVE_ID) && n.count == 17 && n.groups == 1 && (next | 32) == 'x' &&
        !scan_is_alnum(after)) {
        n.digits[n.count++] = 'X';
        if (id_schemes[0].valid(n.digits)) {
            spans_add(s->out, SENSITIVE_ID, from, n.end + 1);
            return n.end + 1;
        }
        n.count--;
    }
    if (scan_wants(s, SENSITIVE_ID) && (end = read_corsican(s, &n)) != 0) {
        spans_add(s->out, SENSITIVE_ID, from, end);
        return end;
    }
    if (scan_wants(s, SENSITIVE_API_KEY) && (end = bot_token_end(s, &n)) != 0) {
        spans_add(s->out, SENSITIVE_API_KEY, from, end);
        return end;
    }
    const bool long_run = n.group[1] > 19; /* digits without end: nothing that is known */
    if ((scan_same_token(next) && n.whole) || long_run) {
        while (long_run && scan_is_digit(scan_at(s, n.end)))
            n.end++;
        return n.end;
    }
    if (!n.whole)
        n.groups--; /* the last may be cut */
    if (read_groups(s, &n, &end))
        return end;
    else if (scan_wants(s, SENSITIVE_PHONE) && is_phone(s, &n, from))
        spans_add(s->out, SENSITIVE_PHONE, from, n.end);
    /* Not all that was read is behind: a card may begin in it. */
    return n.whole || n.groups <= CARD_GROUPS ? n.end : n.pos[n.group[n.groups - CARD_GROUPS]];
}
