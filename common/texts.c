#include "common/texts.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    text_writer *f;
    void *arg;
    struct buf *out;
    bool data; /* names and numbers of the user's own are texts too */
};

enum { NUMBER_LEAST = 7, NUMBER_MAX = 64 }; /* characters: what is shorter tells nothing */

/* What a member's name says of its value. */
enum kind {
    BUILT = 1,  /* a string that only says how a request is built */
    MEDIA = 2,  /* base64 of a picture or sound, or an address */
    OWN = 4,    /* names in it are the user's own, and mean nothing here */
    VALUES = 8, /* they, and numbers, are texts too */
    PROSE = 16, /* people read it */
    INSTRUCTS = 32,
    ASKS = 64
};

#define KIND(name, is)                                                                             \
    {                                                                                              \
        name, sizeof(name) - 1, is                                                                 \
    }

static const struct {
    const char *name;
    size_t len;
    unsigned is;
} kinds[] = {KIND("model", BUILT),
             KIND("role", BUILT),
             KIND("type", BUILT),
             KIND("id", BUILT),
             KIND("call_id", BUILT),
             KIND("tool_call_id", BUILT),
             KIND("file_id", BUILT),
             KIND("detail", BUILT),
             KIND("format", BUILT),
             KIND("object", BUILT),
             KIND("tool_choice", BUILT),
             KIND("encoding_format", BUILT),
             KIND("service_tier", BUILT),
             KIND("finish_reason", BUILT),
             KIND("modalities", BUILT),
             KIND("reasoning_effort", BUILT),
             KIND("previous_response_id", BUILT),
             KIND("url", MEDIA),
             KIND("data", MEDIA),
             KIND("file_data", MEDIA),
             KIND("image_url", MEDIA),
             KIND("metadata", OWN | VALUES),
             KIND("variables", OWN | VALUES),
             KIND("properties", OWN),
             KIND("$defs", OWN),
             KIND("content", PROSE),
             KIND("text", PROSE),
             KIND("input", PROSE | ASKS),
             KIND("prompt", PROSE | ASKS),
             KIND("instructions", PROSE | INSTRUCTS),
             KIND("output", PROSE),
             KIND("arguments", PROSE)};

/* Bits of enum kind. A name may have escapes. */
static unsigned kinds_of(struct json key)
{
    const bool plain = !memchr(key.p, '\\', key.len);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (plain
                ? key.len == kinds[i].len + 2 && memcmp(key.p + 1, kinds[i].name, kinds[i].len) == 0
                : json_equals(key, kinds[i].name))
            return kinds[i].is;
    return 0;
}

static enum text_role role_named(struct json role, enum text_role outer)
{
    static const struct {
        const char *name;
        enum text_role role;
    } roles[] = {{"system", TEXT_SYSTEM}, {"developer", TEXT_SYSTEM},
                 {"user", TEXT_USER},     {"assistant", TEXT_ASSISTANT},
                 {"tool", TEXT_TOOL},     {"function", TEXT_TOOL}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (json_equals(role, roles[i].name))
            return roles[i].role;
    return outer;
}

static enum text_role role_of(unsigned is, bool tool, enum text_role outer)
{
    if (is & INSTRUCTS)
        return TEXT_SYSTEM;
    if (outer == TEXT_OTHER && (is & ASKS))
        return TEXT_USER;
    return tool ? TEXT_TOOL : outer;
}

static void write(const struct walk *w, struct json v, struct text_place place);

/* Of several that are there services may take any: then nobody is trusted. */
static enum text_role role_in(struct json object, enum text_role outer)
{
    struct json_member m;
    size_t pos = 0;
    bool any = false;
    enum text_role role = outer;
    while (json_next_member(object, &pos, &m)) {
        if (!json_equals(m.key, "role"))
            continue;
        const enum text_role said = role_named(m.value, outer);
        role = any && said != role ? TEXT_USER : said;
        any = true;
    }
    return role;
}

static bool is_media(struct json v)
{
    enum { LONG = 512 };
    return v.len > LONG && (memcmp(v.p, "\"data:", 6) == 0 || !memchr(v.p, ' ', v.len));
}

static bool stays(unsigned is, struct json v, struct text_place place)
{
    if (!json_is(v, '"') || place.own)
        return false;
    return (is & BUILT) || ((is & MEDIA) && is_media(v));
}

static void write_name(const struct walk *w, struct json key, struct text_place place)
{
    place.data = true;
    place.name = (struct json){0};
    if (w->data && place.values)
        w->f(w->arg, place, key, w->out);
    else
        buf_add(w->out, key.p, key.len);
}

/* The number's digits as a string: 4.1e3 is "4100"; of a long one the beginning. */
static struct json plain_number(struct json v, char out[NUMBER_MAX + 3])
{
    const char *e = memchr(v.p, 'e', v.len), *dot = memchr(v.p, '.', v.len);
    e = e ? e : memchr(v.p, 'E', v.len);
    size_t n = 0, digits = e ? (size_t)(e - v.p) : v.len;
    out[n++] = '"';
    for (size_t i = 0; i < digits && n <= NUMBER_MAX; i++)
        if (!e || v.p[i] != '.')
            out[n++] = v.p[i];
    long shift = e ? strtol(e + 1, NULL, 10) : 0;
    shift = shift > NUMBER_MAX ? NUMBER_MAX : shift < -NUMBER_MAX ? -NUMBER_MAX : shift;
    shift -= e && dot ? e - dot - 1 : 0;
    for (; shift > 0 && n <= NUMBER_MAX; shift--)
        out[n++] = '0';
    for (; shift < 0 && n > 2 && out[n - 1] == '0'; shift++)
        n--;
    out[n++] = '"';
    return (struct json){out, n};
}

/* If what stands for it is another string, it is one from then on. */
static void write_number(const struct walk *w, struct json v, struct text_place place)
{
    char quoted[NUMBER_MAX + 3];
    const size_t from = w->out->len;
    if (!w->data || !place.values || v.len < NUMBER_LEAST) {
        buf_add(w->out, v.p, v.len);
        return;
    }
    const struct json text = plain_number(v, quoted);
    place.data = true;
    w->f(w->arg, place, text, w->out);
    if (w->out->overflow || w->out->len - from != text.len ||
        memcmp(w->out->data + from, quoted, text.len) != 0)
        return;
    w->out->len = from;
    buf_add(w->out, v.p, v.len);
}

static void write_object(const struct walk *w, struct json v, struct text_place place)
{
    struct json_member m;
    size_t pos = 0;
    char before = '{';
    const enum text_role role = role_in(v, place.role);
    const bool tool = json_equals(json_get(v, "type"), "function_call_output");
    while (json_next_member(v, &pos, &m)) {
        buf_char(w->out, before);
        before = ',';
        write_name(w, m.key, place);
        buf_char(w->out, ':');
        const unsigned is = kinds_of(m.key);
        if (stays(is, m.value, place))
            buf_add(w->out, m.value.p, m.value.len);
        else
            write(w, m.value,
                  (struct text_place){.role = role_of(is, tool, role),
                                      .prose = (is & PROSE) != 0,
                                      .own = place.own || (is & OWN),
                                      .values = place.values || (is & VALUES),
                                      .name = m.key});
    }
    buf_str(w->out, before == '{' ? "{}" : "}");
}

static void write_array(const struct walk *w, struct json v, struct text_place place)
{
    struct json item;
    size_t pos = 0;
    char before = '[';
    while (json_next_item(v, &pos, &item)) {
        buf_char(w->out, before);
        before = ',';
        write(w, item, place);
    }
    buf_str(w->out, before == '[' ? "[]" : "]");
}

/* As deep as json_check() has let it be: JSON_DEPTH_MAX. */
static void write(const struct walk *w, struct json v, struct text_place place)
{
    if (json_is(v, '{'))
        write_object(w, v, place);
    else if (json_is(v, '['))
        write_array(w, v, place);
    else if (json_is(v, '"'))
        w->f(w->arg, place, v, w->out);
    else
        write_number(w, v, place);
}

void texts_rewrite(struct json body, text_writer *f, void *arg, struct buf *out)
{
    const struct walk w = {f, arg, out, false};
    write(&w, body, (struct text_place){.role = TEXT_OTHER});
}

void texts_rewrite_data(struct json v, bool whole, text_writer *f, void *arg, struct buf *out)
{
    const struct walk w = {f, arg, out, true};
    write(&w, v, (struct text_place){.role = TEXT_OTHER, .own = whole, .values = whole});
}
