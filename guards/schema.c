#include "guards/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/canon.h"
#include "common/mem.h"

enum { PATH_MAX_BYTES = 256, DEPTH_MAX = 64 };

struct fit {
    struct json root;
    struct error *err;
    size_t steps;
    int depth;
    char path[PATH_MAX_BYTES];
};

static bool fits(struct fit *f, struct json schema, struct json v);

static bool say(struct fit *f, const char *what)
{
    return error_set(f->err, ERROR_PERMANENT, "shape", "%s %s", f->path[0] ? f->path : "it",
                     what) == QUERN_OK;
}

static bool is_true(struct json v)
{
    return v.p && json_is(v, 't') && v.p[0] == 't';
}

static bool equal(struct json a, struct json b)
{
    struct buf x, y;
    buf_init(&x, CANON_MAX);
    buf_init(&y, CANON_MAX);
    canon_write(a, NULL, &x);
    canon_write(b, NULL, &y);
    const bool same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_free(&x);
    buf_free(&y);
    return same;
}

static double number(struct json v)
{
    return strtod(v.p, NULL);
}

static bool is_type(struct json v, struct json type)
{
    if (json_equals(type, "object"))
        return json_is(v, '{');
    if (json_equals(type, "array"))
        return json_is(v, '[');
    if (json_equals(type, "string"))
        return json_is(v, '"');
    if (json_equals(type, "number"))
        return json_is(v, '0');
    if (json_equals(type, "integer"))
        return json_is(v, '0') && number(v) == floor(number(v));
    if (json_equals(type, "boolean"))
        return json_is(v, 't');
    return json_equals(type, "null") ? json_is(v, 'n') : true;
}

static bool fits_type(struct fit *f, struct json type, struct json v)
{
    struct json one;
    size_t pos = 0;
    char what[96];
    if (!type.p)
        return true;
    if (json_is(type, '"') && is_type(v, type))
        return true;
    while (json_is(type, '[') && json_next_item(type, &pos, &one))
        if (is_type(v, one))
            return true;
    (void)snprintf(what, sizeof what, "is not of type %.*s", (int)(type.len < 60 ? type.len : 60),
                   type.p);
    return say(f, what);
}

static bool fits_values(struct fit *f, struct json schema, struct json v)
{
    struct json choices = json_get(schema, "enum"), constant = json_get(schema, "const"), one;
    size_t pos = 0;
    if (constant.p && !equal(constant, v))
        return say(f, "is not the constant of its schema");
    if (!json_is(choices, '['))
        return true;
    while (json_next_item(choices, &pos, &one))
        if (equal(one, v))
            return true;
    return say(f, "is none of its enum");
}

static bool within(struct json schema, const char *least, const char *most, double n)
{
    const struct json low = json_get(schema, least), high = json_get(schema, most);
    return !(json_is(low, '0') && n < number(low)) && !(json_is(high, '0') && n > number(high));
}

static size_t characters(struct json v)
{
    char *s = json_string_dup(v);
    size_t n = 0;
    for (const char *c = s; c && *c; c++)
        n += ((unsigned char)*c & 0xC0) != 0x80;
    free(s);
    return n;
}

static bool fits_size(struct fit *f, struct json schema, struct json v)
{
    if (json_is(v, '"') && (json_get(schema, "minLength").p || json_get(schema, "maxLength").p) &&
        !within(schema, "minLength", "maxLength", (double)characters(v)))
        return say(f, "is too short or too long");
    if (!json_is(v, '0'))
        return true;
    const struct json low = json_get(schema, "exclusiveMinimum"),
                      high = json_get(schema, "exclusiveMaximum");
    if (!within(schema, "minimum", "maximum", number(v)) ||
        (json_is(low, '0') && number(v) <= number(low)) ||
        (json_is(high, '0') && number(v) >= number(high)))
        return say(f, "is out of its range");
    return true;
}

/* The value within the path of what it is in. */
static bool fits_inside(struct fit *f, struct json schema, struct json v, const char *name,
                        size_t name_len, size_t index)
{
    const size_t n = strlen(f->path);
    if (name)
        (void)snprintf(f->path + n, sizeof f->path - n, "%s%.*s", n ? "." : "", (int)name_len,
                       name);
    else
        (void)snprintf(f->path + n, sizeof f->path - n, "[%zu]", index);
    const bool good = fits(f, schema, v);
    f->path[n] = '\0';
    return good;
}

static struct json property(struct json schema, struct json key)
{
    struct json_member m;
    size_t pos = 0;
    struct json all = json_get(schema, "properties");
    while (json_is(all, '{') && json_next_member(all, &pos, &m))
        if (equal(m.key, key))
            return m.value;
    return (struct json){0};
}

static bool fits_required(struct fit *f, struct json schema, struct json v)
{
    struct json required = json_get(schema, "required"), name;
    struct json_member m;
    size_t pos = 0;
    while (json_is(required, '[') && json_next_item(required, &pos, &name)) {
        size_t at = 0;
        bool found = false;
        while (!found && json_next_member(v, &at, &m))
            found = equal(m.key, name);
        if (found)
            continue;
        char what[96];
        (void)snprintf(what, sizeof what, "has no member %.*s",
                       (int)(name.len < 60 ? name.len : 60), name.p);
        return say(f, what);
    }
    return true;
}

static bool fits_object(struct fit *f, struct json schema, struct json v)
{
    struct json_member m;
    size_t pos = 0;
    const struct json others = json_get(schema, "additionalProperties");
    if (!json_is(v, '{'))
        return true;
    if (!fits_required(f, schema, v))
        return false;
    while (json_next_member(v, &pos, &m)) {
        const struct json own = property(schema, m.key), rule = own.p ? own : others;
        if (!own.p && json_is(others, 't') && !is_true(others)) {
            char what[96];
            (void)snprintf(what, sizeof what, "has a member %.*s, which its schema does not know",
                           (int)(m.key.len < 40 ? m.key.len : 40), m.key.p);
            return say(f, what);
        }
        if (rule.p && !fits_inside(f, rule, m.value, m.key.p + 1, m.key.len - 2, 0))
            return false;
    }
    return true;
}

static bool fits_array(struct fit *f, struct json schema, struct json v)
{
    struct json items = json_get(schema, "items"), one;
    size_t pos = 0, count = 0;
    if (!json_is(v, '['))
        return true;
    for (; json_next_item(v, &pos, &one); count++)
        if (items.p && !fits_inside(f, items, one, NULL, 0, count))
            return false;
    return within(schema, "minItems", "maxItems", (double)count) ||
           say(f, "has too few or too many items");
}

static size_t count_fits(struct fit *f, struct json list, struct json v, size_t *all)
{
    struct json one;
    size_t pos = 0, good = 0;
    for (*all = 0; json_is(list, '[') && json_next_item(list, &pos, &one); (*all)++)
        good += fits(f, one, v);
    return good;
}

static bool fits_combined(struct fit *f, struct json schema, struct json v)
{
    const struct json any = json_get(schema, "anyOf"), one = json_get(schema, "oneOf"),
                      all = json_get(schema, "allOf"), no = json_get(schema, "not");
    size_t count;
    if (any.p && count_fits(f, any, v, &count) == 0 && count)
        return say(f, "fits none of anyOf");
    if (one.p && count_fits(f, one, v, &count) != 1 && count)
        return say(f, "fits none, or several, of oneOf");
    if (all.p && count_fits(f, all, v, &count) != count)
        return false;
    return !no.p || !fits(f, no, v) || say(f, "fits what it must not");
}

/* "#/$defs/item" */
static struct json resolve(const struct fit *f, struct json ref)
{
    char *path = json_string_dup(ref), *rest = path, *name;
    struct json at = f->root;
    if (!path || *path != '#')
        at = (struct json){0};
    else
        (void)strsep(&rest, "/");
    while (at.p && rest && (name = strsep(&rest, "/")) != NULL)
        at = json_get(at, name);
    free(path);
    return at;
}

static bool fits(struct fit *f, struct json schema, struct json v)
{
    const struct json ref = json_get(schema, "$ref");
    if (json_is(schema, 't'))
        return is_true(schema) || say(f, "is not allowed");
    if (!json_is(schema, '{') || ++f->steps > SCHEMA_STEPS_MAX || f->depth == DEPTH_MAX)
        return true;
    f->depth++;
    bool good = true;
    if (json_is(ref, '"')) {
        const struct json target = resolve(f, ref);
        good = !target.p || fits(f, target, v);
    }
    good = good && fits_type(f, json_get(schema, "type"), v) && fits_values(f, schema, v) &&
           fits_size(f, schema, v) && fits_object(f, schema, v) && fits_array(f, schema, v) &&
           fits_combined(f, schema, v);
    f->depth--;
    return good;
}

bool schema_fits(struct json schema, struct json value, struct error *err)
{
    struct fit f = {.root = schema, .err = err};
    return fits(&f, schema, value);
}
