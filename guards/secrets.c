/* Keys and passwords: by the marks that services put on theirs, and by what is given a value. */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "guards/secrets_private.h"
#include "guards/sensitive.h"

enum {
    PEM_MAX = 1 << 20,
    NAME_MAX_BYTES = 40,
    DRAWN_LEAST = 20 /* characters, of whatever kinds */
};

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
} names[] = {NAME("password", true),
             NAME("passwd", true),
             NAME("passwort", true),
             NAME("passphrase", true),
             NAME("kennwort", true),
             NAME("pwd", true),
             NAME("senha", true),
             NAME("hasło", true),
             NAME("contraseña", true),
             NAME("wachtwoord", true),
             NAME("passe", false),
             NAME("pass", false),
             NAME("secret", false),
             NAME("api_key", false),
             NAME("apikey", false),
             NAME("api-key", false),
             NAME("access_key", false),
             NAME("accesskey", false),
             NAME("token", false),
             NAME("private_key", false),
             NAME("credential", false),
             NAME("bearer", false),
             NAME("secret_key", false),
             NAME("auth", false),
             NAME("access-key", false),
             NAME("signing_key", false),
             NAME("encryption_key", false),
             NAME("privatekey", false),
             NAME("schlüssel", false),
             NAME("secretkey", false),
             NAME("app_key", false),
             NAME("requirepass", true),
             NAME("psk", false),
             NAME("pw", true),
             NAME("heslo", true),
             NAME("losenord", true),
             NAME("lösenord", true),
             NAME("passord", true),
             NAME("adgangskode", true),
             NAME("salasana", true),
             NAME("jelszó", true),
             NAME("contrasena", true),
             NAME("parola", true),
             NAME("sandi", true),
             NAME("accountkey", false),
             NAME("sharedaccesskey", false)};

/* "api key" */
static bool is_key(const char *text, size_t at)
{
    static const char *const kinds[] = {"api ",        "access ",  "secret ", "private ",
                                        "encryption ", "signing ", "app "};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t n = strlen(kinds[i]);
        if (at >= n && strncasecmp(text + at - n, kinds[i], n) == 0)
            return true;
    }
    return false;
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

/* "：", the colon of Chinese and Japanese. */
static bool is_wide_colon(const char *s, size_t left)
{
    return left > 2 && s[0] == '\xEF' && s[1] == '\xBC' && s[2] == '\x9A';
}

/* "Bearer X", "Authorization: SSWS X" */
static bool is_scheme(const char *s, size_t n)
{
    const char c = (char)(s[0] | 32);
    return (c == 'b' && n == 6 && strncasecmp(s, "bearer", 6) == 0) ||
           (c == 's' && n == 4 && strncasecmp(s, "ssws", 4) == 0) ||
           (c == 'a' && n == 6 && strncasecmp(s, "apikey", 6) == 0);
}

/* Where the value of a name that ends at `i` begins; 0: it has none. */
static size_t value_start(const char *s, size_t len, size_t i, bool bearer)
{
    bool given = bearer;
    const size_t from = i;
    while (i < len && i - from < NAME_MAX_BYTES) {
        const bool wide = s[i] == '\xEF' && is_wide_colon(s + i, len - i);
        if (!parts(s[i]) && s[i] != '>' && !wide)
            break;
        given |= s[i] == '=' || s[i] == ':' || wide;
        i += wide ? 3 : 1;
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

/* The end of a value between quotation marks; 0: they do not close in its line, or it is a
 * template. */
static size_t quoted_end(const char *s, size_t len, size_t value)
{
    enum { QUOTED_MAX = 128 };
    size_t end = value;
    while (end < len && end - value < QUOTED_MAX && s[end] != s[value - 1] && s[end] != '\n')
        end++;
    return end < len && s[end] == s[value - 1] && !memchr(s + value, ' ', end - value) &&
                   !memchr(s + value, '{', end - value) && !memchr(s + value, '(', end - value)
               ? end
               : 0;
}

/* Where a value ends; 0: it is a call, a template, another assignment: no secret. */
static size_t value_end(const char *s, size_t len, size_t value, struct secret_memo *memo)
{
    size_t end = value;
    if (value > memo->from && value < memo->to)
        return 0; /* a part of what was no secret as a whole; else each name would read it again */
    memo->from = value;
    if ((s[value - 1] == '"' || s[value - 1] == '\'') && (end = quoted_end(s, len, value)) != 0) {
        memo->to = end;
        return memmem(s + value, end - value, "://", 3) || s[value] == '$' ? 0 : end;
    }
    for (end = value; end < len && end - value < SECRET_MAX && !ends_value(s[end]); end++) {
        memo->to = end;
        const bool assigns = s[end] == '=' && end + 1 < len && isalnum((unsigned char)s[end + 1]);
        if (s[end] == '(' || s[end] == '{' ||
            (assigns && !secret_is_random(s + value, end - value)))
            return 0;
    }
    memo->to = end;
    while (end > value && strchr(".?", s[end - 1]))
        end--;
    return s[value] == '$' || memmem(s + value, end - value, "://", 3) ? 0 : end;
}

/* Is it just the word for a password, as it is said in a sentence? */
static bool is_word_for_it(const char *s, size_t n)
{
    enum { A = 1 << 1, D = 1 << 4, E = 1 << 5, O = 1 << 15, S = 1 << 19, W = 1 << 23 };
    static const uint32_t second[32] = {['p' & 31] = A | S | W, ['k' & 31] = E, ['s' & 31] = E | A,
                                        ['h' & 31] = A | E,     ['c' & 31] = O, ['w' & 31] = A,
                                        ['l' & 31] = O,         ['a' & 31] = D, ['j' & 31] = E,
                                        ['r' & 31] = E}; /* letters of their beginnings */
    if (n < 2 || !(second[s[0] & 31] >> (s[1] & 31) & 1))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].len == n && names[i].chosen && names[i].text[0] == (s[0] | 32) &&
            strncasecmp(names[i].text, s, n) == 0)
            return true;
    return n == 5 && strncasecmp(s, "passe", 5) == 0;
}

/* The first of the words that `s` begins with: its length; 0: none. */
static size_t begins_with_any(const char *s, size_t len, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count && len > 1; i++)
        if (words[i][0] == s[0] && words[i][1] == s[1] && len > strlen(words[i]) &&
            memcmp(s, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    return 0;
}

/* An address of mail, or a place in a file system. */
static bool is_place(const char *s, size_t n)
{
    const char *at = memchr(s, '@', n);
    return (at && memchr(at, '.', n - (size_t)(at - s))) ||
           (n > 2 && (memcmp(s, "\\\\", 2) == 0 || memcmp(s + 1, ":\\", 2) == 0));
}

/* Does it look drawn indeed, where no sign gives it? `key`: of many letters and digits. */
static bool is_drawn(const char *s, size_t n, bool key)
{
    size_t alnum = 0;
    for (size_t i = 0; i < n; i++)
        alnum += isalnum((unsigned char)s[i]) != 0;
    return !is_place(s, n) && secret_is_random(s, n) &&
           (key ? alnum >= DRAWN_LEAST : secret_kinds(s, n) >= 3);
}

/* "password for the router is X", "API key of the shop: X": where the value begins of the name that
 * ends at `end`; 0: the sentence gives none. */
static size_t value_of_thing(const char *s, size_t len, size_t end, bool key)
{
    enum { THING_MAX = 48 };
    static const char *const joins[] = {" for ",  " of ",  " to ",  " für ", " von ",
                                        " del ",  " de ",  " du ",  " do ",  " pour ",
                                        " para ", " per ", " voor "},
                             *const gives[] = {
                                 " is ",  " es ",   " est ",    " ist ", " è ",    " é ",
                                 " is: ", " ist: ", " lautet ", " es: ", " est: ", ": "};
    const size_t count = sizeof gives / sizeof *gives - !key; /* "password for network: Guest-5G" */
    size_t i = end + begins_with_any(s + end, len - end, joins, sizeof joins / sizeof *joins), n;
    if (i == end)
        return 0;
    for (i--; i < len && i - end < THING_MAX; i++) {
        if ((s[i] == ' ' || s[i] == ':') &&
            (n = begins_with_any(s + i, len - i, gives, count)) != 0)
            return i + n + (i + n < len && strchr("\"'`", s[i + n]) != NULL);
        if (strchr("\n?!;", s[i]) || (s[i] == '.' && i + 1 < len && s[i + 1] == ' '))
            return 0;
    }
    return 0;
}

/* "password Tulip-4821-Oak", "la password è X", "das Passwort lautet X": where the value begins
 * that no sign gives; 0: there is none. Behind a mere space it must look drawn indeed. */
static size_t said_value(const char *s, size_t len, size_t at, size_t end, bool key,
                         struct secret_memo *memo)
{
    static const char *const words[] = {"ist ", "lautet ", "est ", "es ", "è ",
                                        "é ",   "jest ",   "är ",  "er "};
    size_t n, value = end + 1;
    if (s[end] != ' ' || !(key || is_word_for_it(s + at, end - at)))
        return 0;
    if (!key &&
        (n = begins_with_any(s + value, len - value, words, sizeof words / sizeof *words)) != 0)
        return value + n;
    const size_t thing = value_of_thing(s, len, end, key);
    if (key && !thing)
        return 0;
    value = thing ? thing : value;
    if (!key && value == memo->said)
        return 0;
    n = 0;
    while (value + n < len && n < NAME_MAX_BYTES && !ends_value(s[value + n]))
        n++;
    while (n && strchr(".,", s[value + n - 1]))
        n--;
    memo->said = key ? memo->said : value; /* several names may stand before it */
    return is_drawn(s + value, n, key) ? value : 0;
}

/* `end`: of what begins at `at`, as far as it is of the set `word`; letters of other scripts may
 * follow. */
static bool assigned_at(const char *s, size_t len, size_t at, size_t end, struct secret_memo *memo,
                        size_t *from, size_t *to)
{
    while (end < len && end - at < NAME_MAX_BYTES &&
           (bytes_has(secret_word, s[end]) || (unsigned char)s[end] >= 0x80) &&
           !is_wide_colon(s + end, len - end))
        end++;
    if (end == len || !(parts(s[end]) || is_wide_colon(s + end, len - end)))
        return false;
    const bool bearer = is_scheme(s + at, end - at);
    const bool basic = end - at == 5 && (s[at] | 32) == 'b' && strncasecmp(s + at, "basic", 5) == 0;
    /* Most words have another behind them; a value may stand behind "is". */
    const bool another =
        s[end] == ' ' && end + 1 < len && s[end + 1] != 'i' && bytes_has(secret_word, s[end + 1]);
    const size_t given =
        another && !bearer && !basic ? 0 : value_start(s, len, end, bearer || basic);
    const bool key =
        end - at == 3 && (s[at] | 32) == 'k' && strncasecmp(s + at, "key", 3) == 0 && is_key(s, at);
    const size_t value = given ? given : said_value(s, len, at, end, key, memo);
    if (!value || value == len)
        return false;
    const struct name *name = basic || key ? NULL : find_name(s + at, end - at);
    if (!(basic || key || name || bearer) || (*to = value_end(s, len, value, memo)) == 0)
        return false;
    const size_t n = *to - value;
    *from = value;
    if (secret_is_path(s + value, n) || secret_is_kind(s + value, n))
        return false;
    return basic ? is_basic(s + value, n)
                 : secret_is_random(s + value, n) ||
                       (name && name->chosen && secret_is_chosen(s + value, n));
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
    while (i < len && i - at < NAME_MAX_BYTES && (bytes_has(secret_word, s[i]) || s[i] == '+'))
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
    size_t n, end = at;
    while (end < len && end - at < NAME_MAX_BYTES && bytes_has(secret_word, text[end]))
        end++;
    const bool first = at == 0 || !bytes_has(secret_dotted, text[at - 1]);
    const bool marked = end - at >= SECRET_MARKED_LEAST || (end < len && text[end] == '.');
    if (first && marked && secret_marked_at(text + at, len - at, &n)) {
        *from = at;
        *to = at + n;
        return true;
    }
    return assigned_at(text, len, at, end, memo, from, to) ||
           (end < len && (text[end] == ':' || text[end] == '+') &&
            /* "git+https://…" was read from its start on */
            !(at > 1 && text[at - 1] == '+' && isalpha((unsigned char)text[at - 2])) &&
            login_at(text, len, at, end, from, to));
}

size_t secret_word_at(const char *text, size_t len, size_t at)
{
    static const char *const words[] = {"пароль",     "Пароль",   "密码",  "密碼",
                                        "パスワード", "비밀번호", "şifre", "Şifre",
                                        "mật khẩu",   "κωδικός",  "סיסמה", "كلمة المرور"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i]);
        if (len - at > n && memcmp(text + at, words[i], n) == 0)
            return n;
    }
    return 0;
}

bool secret_behind(const char *text, size_t len, size_t end, struct secret_memo *memo, size_t *from,
                   size_t *to)
{
    const size_t value = value_start(text, len, end, false);
    if (!value || value == len || (*to = value_end(text, len, value, memo)) == 0)
        return false;
    *from = value;
    return secret_is_random(text + value, *to - value) ||
           secret_is_chosen(text + value, *to - value);
}

/* "curl -u user:password", "sshpass -p password", "mysql -ppassword" */
bool secret_flag_at(const char *text, size_t len, size_t at, size_t *from, size_t *to)
{
    const char flag = at + 2 < len ? text[at + 1] : '\0';
    size_t i = at + 2;
    if (flag != 'u' && flag != 'p')
        return false;
    i += text[i] == ' ';
    i += i < len && (text[i] == '\'' || text[i] == '"');
    size_t end = i, colon = 0;
    for (; end < len && end - i < NAME_MAX_BYTES && !ends_value(text[end]); end++)
        if (!colon && text[end] == ':')
            colon = end + 1;
    *from = flag == 'u' ? colon : i;
    *to = end;
    return *from && *to > *from &&
           (secret_is_random(text + *from, *to - *from) ||
            (flag == 'u' && secret_is_chosen(text + *from, *to - *from)));
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
    while (line < s + left && *line && strchr("- \\nr\r\n\t>", *line))
        line++;
    for (size_t i = 0; i < 16; i++) /* the body, or its headers: not a mention in prose */
        if (line + i >= s + left ||
            !(isalnum((unsigned char)line[i]) || strchr("+/=:-, \r\n", line[i])) ||
            (line[i] == ' ' && !memchr(line, ':', i)))
            return 0;
    last = memmem(s, left, end, sizeof end - 1);
    if (!last)
        return at + left; /* it was cut off: all of it is secret */
    close = memmem(last + 9, left - (size_t)(last + 9 - s), "-----", 5);
    return close ? (size_t)(close + 5 - text) : at + left;
}
