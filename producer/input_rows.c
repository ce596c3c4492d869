/* Rows with named fields, CSV or JSONL, put into a prompt template. The id is the field
 * "custom_id", else "id", else "row-N". */
#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "input.h"
#include "lines.h"
#include "common/template.h"

#define INVALID(err, ...) error_set(err, ERROR_PERMANENT, "invalid_input", __VA_ARGS__)

enum { FIELDS_MAX = 1000 };

struct field {
    size_t at, len; /* in rows.text */
};

struct row {
    struct field fields[FIELDS_MAX];
    size_t count;
    struct buf text;
    bool too_many;
};

struct rows {
    struct input base;
    const char *path;
    FILE *file;
    const struct input_prompt *prompt;
    struct lines lines;
    bool csv;
    struct csv_parser parser;
    bool row_ended, has_names;
    struct row names, values; /* JSONL: names come anew with each row */
    struct buf filled, body, id;
    int64_t row_number;
};

static const char *row_text(const struct row *r, size_t i)
{
    return r->text.data ? r->text.data + r->fields[i].at : "";
}

static void row_clear(struct row *r)
{
    r->count = 0;
    r->too_many = false;
    buf_clear(&r->text);
}

static void row_add(struct row *r, const char *s, size_t len)
{
    if (r->count == FIELDS_MAX) {
        r->too_many = true;
        return;
    }
    r->fields[r->count++] = (struct field){r->text.len, len};
    buf_add(&r->text, s, len);
    buf_char(&r->text, '\0');
}

static const char *lookup(const void *arg, const char *name, size_t len, size_t *value_len)
{
    const struct rows *r = arg;
    for (size_t i = 0; i < r->names.count && i < r->values.count; i++) {
        if (r->names.fields[i].len == len && memcmp(row_text(&r->names, i), name, len) == 0) {
            *value_len = r->values.fields[i].len;
            return row_text(&r->values, i);
        }
    }
    return NULL;
}

static void on_field(void *s, size_t len, void *arg)
{
    struct rows *r = arg;
    row_add(r->has_names ? &r->values : &r->names, s ? s : "", len);
}

static void on_row(int c, void *arg)
{
    (void)c;
    ((struct rows *)arg)->row_ended = true;
}

static void begin_csv(struct rows *r)
{
    if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        abort(); /* only bad options fail */
}

/* Feeds lines until a row is whole: a quoted field may span several. */
static enum lines_result csv_row(struct rows *r, int64_t *first_line)
{
    size_t fed = 0;
    r->row_ended = false;
    *first_line = 0;
    while (!r->row_ended) {
        enum lines_result result = lines_next(&r->lines);
        if (*first_line == 0)
            *first_line = r->lines.number;
        if (result == LINES_END && csv_fini(&r->parser, on_field, on_row, r) != 0)
            return LINES_ERROR; /* inside quotes */
        if (result == LINES_END && r->row_ended)
            return LINES_LINE;
        if (result != LINES_LINE)
            return result;
        if (r->lines.line.len == 0 && !r->values.count) /* an empty line between rows */
            *first_line = 0;
        buf_char(&r->lines.line, '\n');
        if (csv_parse(&r->parser, r->lines.line.data, r->lines.line.len, on_field, on_row, r) !=
            r->lines.line.len)
            return LINES_ERROR;
        fed += r->lines.line.len; /* libcsv keeps an open field without a limit */
        if (fed > 2 * r->lines.max)
            return LINES_TOO_LONG;
        if (r->values.text.overflow || r->names.text.overflow)
            return LINES_TOO_LONG;
    }
    return LINES_LINE;
}

static bool json_row(struct rows *r, struct error *err)
{
    const struct buf *line = &r->lines.line;
    struct json_member m;
    struct buf text;
    size_t pos = 0;
    if (!json_check(line->data ? line->data : "", line->len, err))
        return false;
    struct json root = json_root(line->data, line->len);
    if (!json_is(root, '{')) {
        (void)INVALID(err, "the line is not an object");
        return false;
    }
    row_clear(&r->names);
    buf_init(&text, line->len);
    while (json_next_member(root, &pos, &m)) {
        buf_clear(&text);
        (void)json_string(m.key, &text);
        row_add(&r->names, text.data ? text.data : "", text.len);
        buf_clear(&text);
        if (!json_string(m.value, &text)) /* numbers and the like as they stand */
            buf_add(&text, m.value.p, m.value.len);
        row_add(&r->values, text.data ? text.data : "", text.len);
    }
    buf_free(&text);
    return true;
}

static bool has_nul(const struct row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (strlen(row_text(row, i)) != row->fields[i].len)
            return true;
    return false;
}

static enum input_result to_item(struct rows *r, struct input_item *item, struct error *err)
{
    const char *id = lookup(r, "custom_id", 9, &item->id_len);
    if (r->values.too_many || r->names.too_many) {
        (void)INVALID(err, "the row has more than %d fields", FIELDS_MAX);
        return INPUT_BAD;
    }
    if (r->csv && r->values.count != r->names.count) {
        (void)INVALID(err, "the row has %zu fields, the header has %zu", r->values.count,
                      r->names.count);
        return INPUT_BAD;
    }
    if (has_nul(&r->values)) {
        (void)INVALID(err, "a NUL byte in the row");
        return INPUT_BAD;
    }
    if (!utf8_valid(r->values.text.data ? r->values.text.data : "", r->values.text.len, NULL)) {
        (void)INVALID(err, "invalid UTF-8 in the row");
        return INPUT_BAD;
    }
    buf_clear(&r->filled);
    buf_clear(&r->body);
    buf_clear(&r->id);
    if ((r->prompt->untrusted ? template_fill_data : template_fill)(r->prompt->prompt, lookup, r,
                                                                    &r->filled, err) != QUERN_OK)
        return INPUT_BAD;
    input_chat_body(r->prompt, &r->filled, &r->body);
    if (!id && !(id = lookup(r, "id", 2, &item->id_len))) {
        buf_printf(&r->id, "row-%lld", (long long)r->row_number);
        id = r->id.data;
        item->id_len = r->id.len;
    }
    item->custom_id = id;
    item->url = "/v1/chat/completions";
    item->body = json_root(r->body.data, r->body.len);
    if (!r->body.overflow && !r->filled.overflow)
        return INPUT_ITEM;
    (void)INVALID(err, "the request is longer than %zu bytes", r->body.max);
    return INPUT_BAD;
}

static enum input_result row_failed(struct rows *r, enum lines_result result, struct error *err)
{
    if (result == LINES_TOO_LONG) {
        (void)INVALID(err, "the row is longer than %zu bytes", r->lines.line.max - 2);
        if (r->csv) { /* where the next row begins cannot be known */
            row_clear(&r->values);
            csv_free(&r->parser);
            begin_csv(r);
        }
        return INPUT_BAD;
    }
    if (result == LINES_ERROR && !ferror(r->file))
        (void)INVALID(err, "not valid CSV: %s", csv_strerror(csv_error(&r->parser)));
    else
        (void)INVALID(err, "cannot read %s: %s", r->path, strerror(errno));
    return INPUT_FAILED;
}

static bool read_header(struct rows *r, struct error *err)
{
    int64_t line;
    enum lines_result result = csv_row(r, &line);
    r->has_names = result == LINES_LINE;
    if (!r->has_names)
        (void)INVALID(err, "the first line should name the columns");
    return r->has_names;
}

static enum input_result rows_next(struct input *in, struct input_item *item, struct error *err)
{
    struct rows *r = (struct rows *)in;
    enum lines_result result;
    *item = (struct input_item){.file = r->path, .line = 1};
    row_clear(&r->values);
    if (r->csv && !r->has_names && !read_header(r, err))
        return INPUT_FAILED;
    if (r->csv) {
        result = csv_row(r, &item->line);
    } else {
        do
            result = lines_next(&r->lines);
        while (result == LINES_LINE && r->lines.line.len == 0);
        item->line = r->lines.number;
    }
    if (result == LINES_END)
        return INPUT_END;
    if (result != LINES_LINE)
        return row_failed(r, result, err);
    r->row_number++;
    if (!r->csv && !json_row(r, err))
        return INPUT_BAD;
    return to_item(r, item, err);
}

static void start(struct rows *r)
{
    r->has_names = false;
    r->row_number = 0;
    row_clear(&r->names);
    row_clear(&r->values);
    if (r->csv)
        begin_csv(r);
}

static quern_status rows_rewind(struct input *in, struct error *err)
{
    struct rows *r = (struct rows *)in;
    if (!lines_rewind(&r->lines))
        return INVALID(err, "cannot read %s a second time: %s", r->path, strerror(errno));
    if (r->csv)
        csv_free(&r->parser);
    start(r);
    return QUERN_OK;
}

static void rows_close(struct input *in)
{
    struct rows *r = (struct rows *)in;
    struct buf *bufs[] = {&r->names.text, &r->values.text, &r->filled, &r->body, &r->id};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_free(bufs[i]);
    if (r->csv)
        csv_free(&r->parser);
    lines_free(&r->lines);
    (void)fclose(r->file);
    free(r);
}

static struct input *rows_open(const char *path, const struct input_prompt *p, size_t line_max,
                               bool csv, struct error *err)
{
    static const struct input_ops ops = {rows_next, rows_rewind, rows_close};
    FILE *f = input_open_file(path, err);
    if (!f)
        return NULL;
    struct rows *r = mem_zero(sizeof *r);
    r->base.ops = &ops;
    r->path = path;
    r->file = f;
    r->prompt = p;
    r->csv = csv;
    lines_init(&r->lines, f, line_max);
    buf_init(&r->names.text, 2 * line_max);
    buf_init(&r->values.text, 2 * line_max);
    buf_init(&r->filled, 2 * line_max);
    buf_init(&r->body, 4 * line_max);
    buf_init(&r->id, 64);
    start(r);
    return &r->base;
}

struct input *input_csv_open(const char *path, const struct input_prompt *p, size_t line_max,
                             struct error *err)
{
    return rows_open(path, p, line_max, true, err);
}

struct input *input_jsonl_open(const char *path, const struct input_prompt *p, size_t line_max,
                               struct error *err)
{
    return rows_open(path, p, line_max, false, err);
}
