/* Keys and passwords: by the marks that services put on theirs, and by what is given a value. */
#include <ctype.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "guards/sensitive.h"

enum { SECRET_MAX = 4096, PEM_MAX = 1 << 20, NAME_MAX_BYTES = 40 };

/* Sets of characters: a bit for each. */
#define DIGITS 0x03FF0000
#define CAPITALS 0x07FFFFFE
#define DASH (1U << ('-' - 32))
#define DOT (1U << ('.' - 32))
#define UNDERSCORE (1U << ('_' - 64))
typedef uint32_t set[8];
static const set hex = {0, DIGITS, 0x7E, 0x7E}, capital = {0, DIGITS, CAPITALS},
                 word = {0, DIGITS | DASH, CAPITALS | UNDERSCORE, CAPITALS},
                 dotted = {0, DIGITS | DASH | DOT, CAPITALS | UNDERSCORE, CAPITALS};

static inline bool in_set(char c, const set of)
{
    return of[(unsigned char)c / 32] >> (unsigned char)c % 32 & 1;
}

/* What services put in front, and how many characters of which set are behind it at least. */
static const struct mark {
    const char *prefix;
    size_t least;
    const uint32_t *set;
} marks[] = {{"sk-", 20, word},      {"AKIA", 16, capital},
             {"ASIA", 16, capital},  {"ABIA", 16, capital},
             {"ghp_", 30, word},     {"gho_", 30, word},
             {"ghu_", 30, word},     {"ghs_", 30, word},
             {"ghr_", 30, word},     {"github_pat_", 22, word},
             {"glpat-", 18, word},   {"xoxb-", 10, word},
             {"xoxp-", 10, word},    {"xoxa-", 10, word},
             {"xoxr-", 10, word},    {"xoxs-", 10, word},
             {"xapp-", 10, word},    {"sk_live_", 16, word},
             {"sk_test_", 16, word}, {"rk_live_", 16, word},
             {"rk_test_", 16, word}, {"pk_live_", 16, word},
             {"whsec_", 20, word},   {"AIza", 30, word},
             {"npm_", 30, word},     {"hf_", 30, word},
             {"gsk_", 30, word},     {"xai-", 30, word},
             {"r8_", 30, word},      {"pypi-", 40, word},
             {"dop_v1_", 40, hex},   {"shpat_", 28, hex},
             {"SK", 32, hex},        {"AC", 32, hex},
             {"ya29.", 20, word},    {"SG.", 40, dotted},
             {"eyJ", 40, dotted},    {"AGE-SECRET-KEY-", 40, capital},
             {"glrt-", 18, word},    {"dapi", 32, hex},
             {"lin_api_", 30, word}, {"PMAK-", 40, word},
             {"key-", 32, hex},      {"pplx-", 30, word}};

/* Names of what is secret, or ends of them; what follows '=' or ':' is its value. What people
 * choose themselves need not look drawn. */
#define NAME(text, chosen)                                                                         \
    {                                                                                              \
        text, sizeof(text) - 1, chosen                                                             \
    }
static const struct name {
    const char *text;
    size_t len;
    bool chosen;
} names[] = {
    NAME("password", true),    NAME("passwd", true),          NAME("passwort", true),
    NAME("passphrase", true),  NAME("kennwort", true),        NAME("pwd", true),
    NAME("senha", true),       NAME("hasło", true),           NAME("contraseña", true),
    NAME("wachtwoord", true),  NAME("passe", false),          NAME("pass", false),
    NAME("secret", false),     NAME("api_key", false),        NAME("apikey", false),
    NAME("api-key", false),    NAME("access_key", false),     NAME("accesskey", false),
    NAME("token", false),      NAME("private_key", false),    NAME("credential", false),
    NAME("bearer", false),     NAME("secret_key", false),     NAME("auth", false),
    NAME("access-key", false), NAME("signing_key", false),    NAME("encryption_key", false),
    NAME("accountkey", false), NAME("sharedaccesskey", false)};

/* Bits a character. */
static double entropy(const char *s, size_t n)
{
    size_t counts[256] = {0};
    double h = 0;
    for (size_t i = 0; i < n; i++)
        counts[(unsigned char)s[i]]++;
    for (int i = 0; i < 256; i++)
        if (counts[i]) {
            const double p = (double)counts[i] / (double)n;
            h -= p * log2(p);
        }
    return h;
}

static int kinds_of(const char *s, size_t n)
{
    bool lower = false, upper = false, number = false, other = false;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        lower |= islower(c) != 0;
        upper |= isupper(c) != 0;
        number |= isdigit(c) != 0;
        other |= !isalnum(c);
    }
    return lower + upper + number + other;
}

/* Does it look drawn, and not written? */
static bool is_random(const char *s, size_t n)
{
    bool number = false;
    for (size_t i = 0; i < n; i++)
        number |= isdigit((unsigned char)s[i]) != 0;
    return n >= 8 && number && kinds_of(s, n) >= (n >= 16 ? 2 : 3) &&
           entropy(s, n) >= (n >= 20 ? 3.0 : 2.6);
}

/* "hunter2", "123456": no word, no date, no path, and none of what programs write there
 * (args.password1, %s1). */
static bool is_chosen(const char *s, size_t n)
{
    enum { CHOSEN_LEAST = 6 };
    size_t letters = 0, digits = 0;
    for (size_t i = 0; i < n; i++) {
        letters += isalpha((unsigned char)s[i]) != 0;
        digits += isdigit((unsigned char)s[i]) != 0;
        if (s[i] == '[' || s[i] == '%' || s[i] == '/' ||
            (s[i] == '.' && i + 1 < n && isalpha((unsigned char)s[i + 1])))
            return false;
    }
    return n >= CHOSEN_LEAST && digits && (letters >= 2 || digits == n);
}

/* "/home/user1", "~/.ssh/id_2": no key of base64 has so few kinds of characters. */
static bool is_path(const char *s, size_t n)
{
    size_t i = n > 1 && (s[0] == '~' || s[0] == '.') ? 1 : 0;
    if (s[i] != '/')
        return false;
    while (i < n &&
           (islower((unsigned char)s[i]) || isdigit((unsigned char)s[i]) || strchr("/._-", s[i])))
        i++;
    return i == n;
}

/* What programs write where a password's kind stands: "sha256", "varchar255". */
static bool is_kind(const char *s, size_t n)
{
    static const char *const kinds[] = {"sha",  "md",   "aes", "rsa",  "base",    "utf",   "pbkdf",
                                        "uuid", "uint", "int", "char", "varchar", "string"};
    size_t letters = 0, digits = 0;
    while (letters < n && isalpha((unsigned char)s[letters]))
        letters++;
    while (letters + digits < n && isdigit((unsigned char)s[letters + digits]))
        digits++;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (letters + digits == n && strlen(kinds[i]) == letters &&
            strncasecmp(s, kinds[i], letters) == 0)
            return true;
    return false;
}

/* "eyJ….eyJ….sig" */
static bool is_jwt(const char *s, size_t n)
{
    const char *dot = memchr(s, '.', n);
    return dot && memchr(dot + 1, '.', n - (size_t)(dot + 1 - s)) != NULL;
}

static bool begins_mark(char c)
{
    static const uint32_t first[2] = {
        1U << ('A' - 64) | 1U << ('G' - 64) | 1U << ('P' - 64) | 1U << ('S' - 64),
        1U << ('d' - 96) | 1U << ('e' - 96) | 1U << ('g' - 96) | 1U << ('h' - 96) |
            1U << ('k' - 96) | 1U << ('l' - 96) | 1U << ('n' - 96) | 1U << ('p' - 96) |
            1U << ('r' - 96) | 1U << ('s' - 96) | 1U << ('w' - 96) | 1U << ('x' - 96) |
            1U << ('y' - 96)};
    return c >= 64 && (first[c / 32 - 2] >> c % 32 & 1);
}

static bool marked_at(const char *s, size_t len, size_t *n)
{
    enum { LEAST = 14 }; /* of a prefix with what is behind it */
    size_t token = 0;
    if (!begins_mark(s[0]))
        return false;
    while (token < len && token < LEAST && in_set(s[token], dotted))
        token++;
    if (token < LEAST)
        return false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const size_t k = strlen(marks[i].prefix);
        if (len < k + marks[i].least || memcmp(s, marks[i].prefix, k) != 0)
            continue;
        size_t end = k;
        while (end < len && end < SECRET_MAX && in_set(s[end], marks[i].set))
            end++;
        while (end > k && !isalnum((unsigned char)s[end - 1]) && s[end - 1] != '_')
            end--;
        if (end - k < marks[i].least || (marks[i].set == hex && end - k != marks[i].least) ||
            (s[0] == 'e' && !is_jwt(s, end)) || entropy(s + k, end - k) < 2.5)
            continue;
        *n = end;
        return true;
    }
    return false;
}

/* "api key" */
static bool is_key(const char *text, size_t at)
{
    const char *s = text + at;
    return at > 4 && (strncasecmp(s - 4, "api", 3) == 0 ||
                      (at > 7 && (strncasecmp(s - 7, "access", 6) == 0 ||
                                  strncasecmp(s - 7, "secret", 6) == 0)));
}

/* db_password, tokens, password2: the name is its end, with one or two characters behind it. */
static const struct name *find_name(const char *s, size_t len)
{
    for (size_t tail = 0; tail < 3 && tail + 3 <= len; tail++) {
        const char *end = s + len - tail;
        if (tail && *end != 's' && !isdigit((unsigned char)*end))
            continue;
        const char last = (char)tolower((unsigned char)end[-1]);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const size_t k = names[i].len;
            if (names[i].text[k - 1] == last && k + tail <= len &&
                strncasecmp(end - k, names[i].text, k) == 0)
                return &names[i];
        }
    }
    return NULL;
}

/* Between a name and its value. */
static bool parts(char c)
{
    return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '=' || c == ':';
}

/* Where the value of a name that ends at `i` begins; 0: it has none. */
static size_t value_start(const char *s, size_t len, size_t i, bool bearer)
{
    bool given = bearer;
    const size_t from = i;
    while (i < len && i - from < NAME_MAX_BYTES && (parts(s[i]) || s[i] == '>')) {
        given |= s[i] == '=' || s[i] == ':';
        i++;
    }
    if (!given && i > from && i + 3 < len && s[i] == 'i' && s[i + 1] == 's' && s[i + 2] == ' ') {
        given = true;
        i += 3;
    }
    return given && i > from ? i : 0;
}

static bool ends_value(char c)
{
    return strchr(" \t\r\n\"'`<>,;)]}&|", c) != NULL;
}

/* "Authorization: Basic dXNlcjpwYXNz": base64 of a user, a colon and a password. */
static bool is_basic(const char *s, size_t n)
{
    enum { BASIC_MAX = 512 };
    unsigned char text[BASIC_MAX];
    if (n % 4 != 0 || n < 8 || n > BASIC_MAX)
        return false;
    int len = EVP_DecodeBlock(text, (const unsigned char *)s, (int)n);
    while (len > 0 && text[len - 1] == '\0')
        len--; /* for each '=' */
    for (int i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] == 0x7F)
            return false;
    return len > 2 && memchr(text, ':', (size_t)len) != NULL;
}

/* Where a value ends; 0: it is a call, a template, another assignment: no secret. */
static size_t value_end(const char *s, size_t len, size_t value, struct secret_memo *memo)
{
    size_t end = value;
    if (value > memo->from && value < memo->to)
        return 0; /* a part of what was no secret as a whole; else each name would read it again */
    memo->from = value;
    while (end < len && end - value < SECRET_MAX && !ends_value(s[end])) {
        memo->to = end;
        if (s[end] == '(' || s[end] == '{' ||
            (s[end] == '=' && end + 1 < len && isalnum((unsigned char)s[end + 1])))
            return 0;
        end++;
    }
    memo->to = end;
    while (end > value && strchr(".!?", s[end - 1]))
        end--;
    return s[value] == '$' || memmem(s + value, end - value, "://", 3) ? 0 : end;
}

/* `end`: of what begins at `at`, as far as it is of the set `word`; letters of other scripts may
 * follow. */
static bool assigned_at(const char *s, size_t len, size_t at, size_t end, struct secret_memo *memo,
                        size_t *from, size_t *to)
{
    while (end < len && end - at < NAME_MAX_BYTES &&
           (in_set(s[end], word) || (unsigned char)s[end] >= 0x80))
        end++;
    if (end == len || !parts(s[end]))
        return false;
    const bool bearer = end - at == 6 && strncasecmp(s + at, "bearer", 6) == 0;
    const bool basic = end - at == 5 && strncasecmp(s + at, "basic", 5) == 0;
    const size_t value = value_start(s, len, end, bearer || basic);
    if (!value || value == len)
        return false;
    const bool key = end - at == 3 && strncasecmp(s + at, "key", 3) == 0 && is_key(s, at);
    const struct name *name = basic || key ? NULL : find_name(s + at, end - at);
    if (!(basic || key || name) || (*to = value_end(s, len, value, memo)) == 0)
        return false;
    const size_t n = *to - value;
    *from = value;
    if (is_path(s + value, n) || is_kind(s + value, n))
        return false;
    return basic ? is_basic(s + value, n)
                 : is_random(s + value, n) || (name && name->chosen && is_chosen(s + value, n));
}

/* "scheme://postgres:postgres@…", and what only shows where the password would be. */
static bool is_example(const char *user, size_t user_len, const char *s, size_t n)
{
    static const char *const words[] = {"pass",  "password", "passwd", "pwd",
                                        "token", "secret",   "guest",  "changeme"};
    static const char *const begins[] = {"xxx", "***", "..."};
    bool port = n <= 5; /* "sip://alice:5060@…" */
    for (size_t i = 0; i < n; i++)
        port &= isdigit((unsigned char)s[i]) != 0;
    bool known = port || (n == user_len && memcmp(user, s, n) == 0);
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        known |= n == strlen(words[k]) && strncasecmp(s, words[k], n) == 0;
    for (size_t k = 0; k < sizeof begins / sizeof *begins; k++)
        known |= n >= 3 && memcmp(s, begins[k], 3) == 0;
    return known;
}

/* The password of "scheme://user:password@host"; `end` as above. */
static bool login_at(const char *s, size_t len, size_t at, size_t end, size_t *from, size_t *to)
{
    enum { LOGIN_MAX = 256 };
    size_t i = end, colon = 0;
    while (i < len && i - at < NAME_MAX_BYTES && (in_set(s[i], word) || s[i] == '+'))
        i++;
    if (len - i < 3 || memcmp(s + i, "://", 3) != 0)
        return false;
    const size_t user = i + 3;
    for (i = user; i < len && i - at < LOGIN_MAX && s[i] != '@'; i++) {
        if (!colon && s[i] == ':')
            colon = i + 1;
        if ((unsigned char)s[i] <= ' ' || strchr("/?#\"'<>{}$`", s[i]))
            return false;
    }
    if (i >= len || s[i] != '@' || !colon || i < colon + 3 ||
        is_example(s + user, colon - 1 - user, s + colon, i - colon))
        return false;
    *from = colon;
    *to = i;
    return true;
}

bool secret_at(const char *text, size_t len, size_t at, struct secret_memo *memo, size_t *from,
               size_t *to)
{
    size_t n;
    const bool first = at == 0 || !in_set(text[at - 1], dotted);
    if (first && marked_at(text + at, len - at, &n)) {
        *from = at;
        *to = at + n;
        return true;
    }
    size_t end = at;
    while (end < len && end - at < NAME_MAX_BYTES && in_set(text[end], word))
        end++;
    return assigned_at(text, len, at, end, memo, from, to) ||
           login_at(text, len, at, end, from, to);
}

size_t private_key_at(const char *text, size_t len, size_t at)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ", key[] = "PRIVATE KEY";
    const char *s = text + at, *line, *last, *close;
    const size_t left = len - at < PEM_MAX ? len - at : PEM_MAX;
    if (left < sizeof begin || memcmp(s, begin, sizeof begin - 1) != 0)
        return 0;
    line = memmem(s, left < 64 ? left : 64, key, sizeof key - 1);
    if (!line)
        return 0;
    line += sizeof key - 1;
    line += strspn(line, "- \\nr\r\n\t");
    for (size_t i = 0; i < 16; i++) /* the body, not a mention in prose */
        if (line + i >= s + left ||
            !(isalnum((unsigned char)line[i]) || strchr("+/=:-, \r\n", line[i])))
            return 0;
    last = memmem(s, left, end, sizeof end - 1);
    if (!last)
        return at + left; /* it was cut off: all of it is secret */
    close = memmem(last + 9, left - (size_t)(last + 9 - s), "-----", 5);
    return close ? (size_t)(close + 5 - text) : at + left;
}
