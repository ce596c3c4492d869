#include "keyring.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

static const char separators[] = ",\r\n", blanks[] = " \t";

static void wipe(char *key)
{
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
}

void keyring_free(struct keyring *k)
{
    for (size_t i = 0; i < KEYRING_MAX; i++)
        wipe(k->keys[i]);
    *k = (struct keyring){0};
}

/* A header's value: RFC 9110, field-value without obs-text. */
static quern_status check_key(const char *key, struct error *err)
{
    if (strlen(key) > KEY_LEN_MAX)
        return error_set(err, ERROR_PERMANENT, "config", "a key is longer than %d bytes",
                         KEY_LEN_MAX);
    for (const char *c = key; *c; c++)
        if (*c < ' ' || *c > '~')
            return error_set(err, ERROR_PERMANENT, "config",
                             "a key has a byte that no header can carry (0x%02x at %zu)",
                             (unsigned char)*c, (size_t)(c - key));
    return QUERN_OK;
}

/* Cuts the blanks around it off. */
static char *trim(char *s)
{
    s += strspn(s, blanks);
    for (size_t len = strlen(s); len && strchr(blanks, s[len - 1]); len--)
        s[len - 1] = '\0';
    return s;
}

/* Cuts the text up. Fills list[0..*count). */
static quern_status split(char *text, char *list[KEYS_MAX], size_t *count, struct error *err)
{
    char *rest = NULL;
    *count = 0;
    for (char *key = text ? strtok_r(text, separators, &rest) : NULL; key;
         key = strtok_r(NULL, separators, &rest)) {
        key = trim(key);
        if (!*key)
            continue;
        if (*count == KEYS_MAX)
            return error_set(err, ERROR_PERMANENT, "config", "there are more than %d keys",
                             KEYS_MAX);
        if (check_key(key, err) != QUERN_OK)
            return QUERN_FAIL;
        list[(*count)++] = key;
    }
    return QUERN_OK;
}

static bool is_same(const struct keyring *k, char *list[KEYS_MAX], size_t count)
{
    bool same = keyring_size(k) == count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(k->keys[keyring_slot(k->first + i)], list[i]) == 0;
    return same;
}

quern_status keyring_read(struct keyring *k, char *text, bool *changed, struct error *err)
{
    char *list[KEYS_MAX];
    size_t count, len = text ? strlen(text) : 0;
    quern_status status = split(text, list, &count, err);
    *changed = status == QUERN_OK && !is_same(k, list, count);
    if (*changed && count == 0) {
        *changed = false;
        status = error_set(err, ERROR_PERMANENT, "config", "there is no key any more");
    }
    if (*changed) {
        k->now = k->first = k->count;
        for (size_t i = 0; i < count; i++) {
            char **slot = &k->keys[keyring_slot(k->count++)];
            wipe(*slot);
            *slot = mem_string(list[i]);
        }
    }
    if (status == QUERN_OK)
        memset(k->refused, 0, sizeof k->refused);
    if (text)
        explicit_bzero(text, len);
    return status;
}

size_t keyring_slot(size_t position)
{
    return position % KEYRING_MAX;
}

size_t keyring_size(const struct keyring *k)
{
    return k->count - k->first;
}

const char *keyring_key(const struct keyring *k)
{
    return keyring_size(k) ? k->keys[keyring_slot(k->now)] : NULL;
}

void keyring_refuse(struct keyring *k, size_t position)
{
    if (keyring_size(k) == 0 || position != k->now)
        return;
    k->refused[keyring_slot(position)] = true;
    for (size_t i = 1; i < keyring_size(k); i++) {
        size_t next = k->first + (position - k->first + i) % keyring_size(k);
        if (!k->refused[keyring_slot(next)]) {
            k->now = next;
            return;
        }
    }
    memset(k->refused, 0, sizeof k->refused);
    k->now = k->first + (position - k->first + 1) % keyring_size(k);
}

/* The bytes at `p` that stand for one: it, or a JSON escape of it. 0: they do not. */
static size_t stands_for(const char *p, const char *end, char c)
{
    if (end - p >= 2 && p[0] == '\\' && p[1] == c)
        return 2;
    if (p < end && *p == c)
        return 1;
    return json_code_unit(p, end) == (unsigned char)c ? JSON_UNIT_LEN : 0;
}

static size_t match_escaped(const char *p, const char *end, const char *key)
{
    const char *at = p;
    for (; *key; key++) {
        size_t n = stands_for(at, end, *key);
        if (n == 0)
            return 0;
        at += n;
    }
    return (size_t)(at - p);
}

/* Keys of plain letters are found at once; only a text that may hold this one with escapes is gone
 * through. */
static void redact_escaped(char *text, size_t len, const char *key)
{
    const bool may = memmem(text, len, "\\u", 2) || strpbrk(key, "\"\\") ||
                     (strchr(key, '/') && memmem(text, len, "\\/", 2));
    if (!may)
        return;
    for (char *p = text, *end = text + len; p < end;) {
        size_t n = match_escaped(p, end, key);
        memset(p, '*', n);
        p += n ? n : 1;
    }
}

void keyring_redact(const struct keyring *k, char *text, size_t len, bool answer)
{
    for (size_t i = 0; i < KEYRING_MAX && k->keys[i]; i++) {
        size_t n = strlen(k->keys[i]);
        char *from = text, *end = text + len, *at;
        if (answer && n < KEY_SECRET_MIN)
            continue;
        while ((at = memmem(from, (size_t)(end - from), k->keys[i], n)) != NULL) {
            memset(at, '*', n);
            from = at + n;
        }
        redact_escaped(text, len, k->keys[i]);
    }
}
