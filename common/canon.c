#include "common/canon.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* A double holds every integer up to here. */
#define EXACT_MAX 9007199254740992.0

struct member {
    struct buf name;
    size_t position;
    struct json value;
};

static int compare(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = len ? memcmp(a->name.data, b->name.data, len) : 0;
    if (order == 0)
        order = (a->name.len > b->name.len) - (a->name.len < b->name.len);
    return order ? order : (a->position > b->position) - (a->position < b->position);
}

static bool is_left_out(const struct buf *name, const char *const *left_out)
{
    for (; left_out && *left_out; left_out++)
        if (strlen(*left_out) == name->len && memcmp(*left_out, name->data, name->len) == 0)
            return true;
    return false;
}

static void write_string(struct json v, struct buf *out)
{
    struct buf text;
    if (!memchr(v.p, '\\', v.len)) {
        buf_add(out, v.p, v.len);
        return;
    }
    buf_init(&text, v.len);
    (void)json_string(v, &text);
    buf_json(out, text.data ? text.data : "", text.len);
    buf_free(&text);
}

static void write_number(struct json v, struct buf *out)
{
    char text[64];
    bool whole = !memchr(v.p, '.', v.len) && !memchr(v.p, 'e', v.len) && !memchr(v.p, 'E', v.len);
    if (v.len >= sizeof text || (whole && !(v.len == 2 && v.p[0] == '-'))) {
        buf_add(out, v.p, v.len);
        return;
    }
    memcpy(text, v.p, v.len);
    text[v.len] = '\0';
    double d = strtod(text, NULL);
    if (!isfinite(d))
        buf_add(out, v.p, v.len);
    else if (fabs(d) < EXACT_MAX && d == floor(d))
        buf_printf(out, "%.0f", d == 0 ? 0.0 : d); /* no -0 */
    else
        buf_printf(out, "%.17g", d);
}

static void write_object(struct json v, const char *const *left_out, struct buf *out)
{
    struct member *all = NULL;
    struct json_member m;
    size_t count = 0, pos = 0, room = 0;
    while (json_next_member(v, &pos, &m)) {
        if (count == room)
            all = mem_array(all, room = room ? room * 2 : 8, sizeof *all);
        all[count] = (struct member){.position = count, .value = m.value};
        buf_init(&all[count].name, m.key.len);
        (void)json_string(m.key, &all[count++].name);
    }
    if (count)
        qsort(all, count, sizeof *all, compare);
    char before = '{';
    for (size_t i = 0; i < count; i++) {
        if (!is_left_out(&all[i].name, left_out)) {
            buf_char(out, before);
            buf_json(out, all[i].name.data ? all[i].name.data : "", all[i].name.len);
            buf_char(out, ':');
            canon_write(all[i].value, NULL, out);
            before = ',';
        }
        buf_free(&all[i].name);
    }
    free(all);
    buf_str(out, before == '{' ? "{}" : "}");
}

static void write_array(struct json v, struct buf *out)
{
    struct json item;
    size_t pos = 0;
    char before = '[';
    while (json_next_item(v, &pos, &item)) {
        buf_char(out, before);
        canon_write(item, NULL, out);
        before = ',';
    }
    buf_str(out, before == '[' ? "[]" : "]");
}

/* As deep as json_check() has let it be: JSON_DEPTH_MAX. */
void canon_write(struct json v, const char *const *left_out, struct buf *out)
{
    if (json_is(v, '{'))
        write_object(v, left_out, out);
    else if (json_is(v, '['))
        write_array(v, out);
    else if (json_is(v, '"'))
        write_string(v, out);
    else if (json_is(v, '0'))
        write_number(v, out);
    else
        buf_add(out, v.p, v.len);
}

const char *const canon_shapeless[] = {
    "model",        "stream", "stream_options",    "user",
    "metadata",     "store",  "safety_identifier", "prompt_cache_key",
    "service_tier", NULL};

bool canon_digest(const char *scope, const char *url, const char *model, struct json body,
                  const char *const *left_out, unsigned char out[CANON_DIGEST])
{
    struct buf text;
    buf_init(&text, CANON_MAX);
    buf_str(&text, "[");
    const char *const parts[] = {scope, url, model};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_json(&text, parts[i], strlen(parts[i]));
        buf_char(&text, ',');
    }
    canon_write(body, left_out, &text);
    buf_char(&text, ']');
    const bool done =
        !text.overflow && EVP_Digest(text.data, text.len, out, NULL, EVP_sha256(), NULL) == 1;
    buf_free(&text);
    return done;
}
