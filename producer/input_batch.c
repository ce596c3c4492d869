/* OpenAI Batch lines: {"custom_id":…,"method":"POST","url":…,"body":{…}}, and what quern's tasks
 * may say beside (wishes.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/task_doc.h"
#include "input.h"
#include "lines.h"

#define INVALID(err, code, ...) error_set(err, ERROR_PERMANENT, code, __VA_ARGS__)

/* Texts of a task that a line may have; the order of input_item's. */
enum { NAMES = 3 };
static const char *const name_keys[NAMES] = {"tenant", "user", "feature"};

struct batch {
    struct input base;
    const char *path;
    FILE *file;
    struct lines lines;
    struct buf id, url, names[NAMES];
};

static quern_status read_text(struct json root, const char *key, struct buf *out, struct error *err)
{
    struct json v = json_get(root, key);
    buf_clear(out);
    if (!v.p)
        return INVALID(err, "missing_required_parameter", "%s is missing", key);
    if (!json_string(v, out) || out->overflow)
        return INVALID(err, "invalid_type", "%s is no text, or too long", key);
    if (!out->data)
        buf_str(out, "");
    return QUERN_OK;
}

static quern_status read_names(struct batch *b, struct json root, struct input_item *item,
                               struct error *err)
{
    const char **to[NAMES] = {&item->tenant, &item->user, &item->feature};
    struct json v[NAMES];
    json_get_all(root, name_keys, v, NAMES);
    for (int i = 0; i < NAMES; i++) {
        if (!v[i].p || json_is(v[i], 'n'))
            continue;
        if (read_text(root, name_keys[i], &b->names[i], err) != QUERN_OK)
            return QUERN_FAIL;
        *to[i] = b->names[i].data;
    }
    return QUERN_OK;
}

static quern_status read_line(struct batch *b, struct input_item *item, struct error *err)
{
    const struct buf *line = &b->lines.line;
    if (!json_check(line->data, line->len, err))
        return QUERN_FAIL;
    struct json root = json_root(line->data, line->len), method = json_get(root, "method");
    if (!json_is(root, '{'))
        return INVALID(err, "invalid_json_line", "the line is not an object");
    if (method.p && !json_equals(method, "POST"))
        return INVALID(err, "invalid_method", "method is not \"POST\"");
    if (read_text(root, "custom_id", &b->id, err) != QUERN_OK ||
        read_text(root, "url", &b->url, err) != QUERN_OK ||
        read_names(b, root, item, err) != QUERN_OK)
        return QUERN_FAIL;
    item->custom_id = b->id.data;
    item->id_len = b->id.len;
    item->url = b->url.data;
    item->body = json_get(root, "body");
    struct json wishes[WISHES];
    json_get_all(root, wish_names, wishes, WISHES);
    return wishes_read(wishes, &item->wishes, err);
}

static bool blank(const struct buf *line)
{
    return strspn(line->data ? line->data : "", " \t") == line->len;
}

static enum input_result batch_next(struct input *in, struct input_item *item, struct error *err)
{
    struct batch *b = (struct batch *)in;
    enum lines_result r;
    do
        r = lines_next(&b->lines);
    while (r == LINES_LINE && blank(&b->lines.line));
    *item = (struct input_item){.file = b->path, .line = b->lines.number};
    if (r == LINES_END)
        return INPUT_END;
    if (r == LINES_ERROR) {
        (void)INVALID(err, "io", "cannot read %s: %s", b->path, strerror(errno));
        return INPUT_FAILED;
    }
    if (r == LINES_TOO_LONG) {
        (void)INVALID(err, "line_too_long", "the line is longer than %zu bytes",
                      b->lines.line.max - 2);
        return INPUT_BAD;
    }
    return read_line(b, item, err) == QUERN_OK ? INPUT_ITEM : INPUT_BAD;
}

static quern_status batch_rewind(struct input *in, struct error *err)
{
    struct batch *b = (struct batch *)in;
    if (!lines_rewind(&b->lines))
        return INVALID(err, "io", "cannot read %s a second time: %s", b->path, strerror(errno));
    return QUERN_OK;
}

static void batch_close(struct input *in)
{
    struct batch *b = (struct batch *)in;
    lines_free(&b->lines);
    buf_free(&b->id);
    buf_free(&b->url);
    for (int i = 0; i < NAMES; i++)
        buf_free(&b->names[i]);
    (void)fclose(b->file);
    free(b);
}

struct input *input_batch_open(const char *path, size_t line_max, struct error *err)
{
    static const struct input_ops ops = {batch_next, batch_rewind, batch_close};
    FILE *f = input_open_file(path, err);
    if (!f)
        return NULL;
    struct batch *b = mem_zero(sizeof *b);
    b->base.ops = &ops;
    b->path = path;
    b->file = f;
    lines_init(&b->lines, f, line_max);
    buf_init(&b->id, line_max);
    buf_init(&b->url, TASK_NAME_MAX);
    for (int i = 0; i < NAMES; i++)
        buf_init(&b->names[i], TASK_NAME_MAX);
    return &b->base;
}
