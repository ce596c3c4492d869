#include "fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct node {
    size_t key_len;
    char *key;          /* raw, with its quotes, of an object's member; else NULL */
    char kind;          /* '{', '[', '"' (a text that grows) or 'r': any value, raw */
    struct buf text;    /* of '"': its inside; of 'r': itself, empty for null */
    struct node **item; /* of '{' and '[' */
    size_t count;
};

/* A node with its key and the first block of its text. */
enum { NODE_BYTES = sizeof(struct node) + 256 };

static bool hold(struct fold *f, size_t n)
{
    f->full = f->full || f->bytes + n > f->max;
    f->bytes += f->full ? 0 : n;
    return !f->full;
}

static struct node *new_node(size_t max)
{
    struct node *n = mem_zero(sizeof *n);
    n->kind = 'r';
    buf_init(&n->text, max);
    return n;
}

static void become(struct node *n, char kind);

static void free_node(struct node *n)
{
    become(n, 'r');
    buf_free(&n->text);
    free(n->key);
    free(n);
}

/* The depth is bounded: it is that of checked JSON and a few levels more. */
static void become(struct node *n, char kind)
{
    for (size_t i = 0; i < n->count; i++)
        free_node(n->item[i]);
    free(n->item);
    n->item = NULL;
    n->count = 0;
    buf_clear(&n->text);
    n->kind = kind;
}

void fold_init(struct fold *f, size_t max)
{
    *f = (struct fold){.max = max};
    f->root = new_node(max);
    f->spill = new_node(0);
    become(f->root, '{');
}

void fold_free(struct fold *f)
{
    free_node(f->root);
    free_node(f->spill);
    f->root = f->spill = NULL;
}

static struct node *add_child(struct fold *f, struct node *to, const char *key, size_t len)
{
    if (!hold(f, NODE_BYTES + len))
        return f->spill;
    struct node *n = new_node(f->max);
    if (key) {
        n->key = mem_alloc(len + 1);
        memcpy(n->key, key, len);
        n->key[len] = '\0';
        n->key_len = len;
    }
    if ((to->count & (to->count - 1)) == 0) /* grows by doubling */
        to->item = mem_array(to->item, to->count ? to->count * 2 : 1, sizeof *to->item);
    return to->item[to->count++] = n;
}

static struct node *find_member(const struct node *object, const char *key, size_t len)
{
    for (size_t i = 0; i < object->count; i++)
        if (object->item[i]->key_len == len && memcmp(object->item[i]->key, key, len) == 0)
            return object->item[i];
    return NULL;
}

struct node *fold_raw_member(struct fold *f, struct node *object, struct json key)
{
    if (object->kind != '{')
        become(object, '{');
    struct node *n = find_member(object, key.p, key.len);
    f->full = f->full || (!n && object->count >= FOLD_MEMBERS_MAX);
    return n ? n : add_child(f, object, key.p, key.len);
}

struct node *fold_member(struct fold *f, struct node *object, const char *key)
{
    char raw[64];
    int n = snprintf(raw, sizeof raw, "\"%s\"", key);
    return fold_raw_member(f, object, (struct json){raw, (size_t)n});
}

struct node *fold_append(struct fold *f, struct node *list)
{
    if (list->kind != '[')
        become(list, '[');
    return list->count < FOLD_ITEMS_MAX ? add_child(f, list, NULL, 0) : NULL;
}

struct node *fold_item(struct fold *f, struct node *list, int64_t index)
{
    if (index < 0 || index >= FOLD_ITEMS_MAX)
        return NULL;
    while (list->kind != '[' || list->count <= (size_t)index) {
        (void)fold_append(f, list);
        if (f->full)
            return NULL;
    }
    return list->item[index];
}

static void put_text(struct fold *f, struct node *to, const char *p, size_t n)
{
    if (hold(f, n))
        buf_add(&to->text, p, n);
}

void fold_set(struct fold *f, struct node *to, struct json value)
{
    f->bytes -= to->text.len; /* what it replaces; of whole trees only the rest stays counted */
    become(to, 'r');
    put_text(f, to, value.p, value.len);
}

static bool is_named(struct json key, const char *const names[])
{
    for (; *names; names++)
        if (json_equals(key, *names))
            return true;
    return false;
}

static void grow(struct fold *f, struct node *to, struct json text)
{
    if (to->kind != '"') {
        f->bytes -= to->text.len;
        become(to, '"');
    }
    put_text(f, to, text.p + 1, text.len - 2);
    f->grown += text.len - 2;
}

static bool says_nothing(struct json v)
{
    return json_is(v, 'n') || (json_is(v, '"') && v.len == 2);
}

static void merge_list(struct fold *f, struct node *to, struct json list, const char *const grows[])
{
    struct json item;
    size_t pos = 0;
    if (to->kind != '[')
        become(to, '[');
    while (json_next_item(list, &pos, &item) && !f->full) {
        int64_t index;
        struct node *n = json_int64(json_get(item, "index"), &index) ? fold_item(f, to, index)
                                                                     : fold_append(f, to);
        if (n && json_is(item, '{'))
            fold_merge(f, n, item, grows);
        else if (n)
            fold_set(f, n, item);
    }
}

void fold_merge_member(struct fold *f, struct node *to, struct json_member m,
                       const char *const grows[])
{
    size_t before = to->kind == '{' ? to->count : 0;
    struct node *child = fold_raw_member(f, to, m.key);
    bool fresh = to->kind == '{' && to->count > before;
    if (json_is(m.value, '"') && is_named(m.key, grows))
        grow(f, child, m.value);
    else if (json_is(m.value, '{'))
        fold_merge(f, child, m.value, grows);
    else if (json_is(m.value, '['))
        merge_list(f, child, m.value, grows);
    else if (fresh || !says_nothing(m.value))
        fold_set(f, child, m.value);
}

void fold_merge(struct fold *f, struct node *to, struct json piece, const char *const grows[])
{
    struct json_member m;
    size_t pos = 0;
    if (to->kind != '{')
        become(to, '{');
    while (json_is(piece, '{') && json_next_member(piece, &pos, &m) && !f->full)
        if (!json_equals(m.key, "index"))
            fold_merge_member(f, to, m, grows);
}

bool fold_all_have(const struct node *list, const char *key)
{
    char raw[64];
    size_t len = (size_t)snprintf(raw, sizeof raw, "\"%s\"", key);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *n = find_member(list->item[i], raw, len);
        bool has = n && (n->kind != 'r' || (n->text.len && n->text.data[0] != 'n'));
        if (!has)
            return false;
    }
    return list->count > 0;
}

void fold_write(const struct node *n, struct buf *out)
{
    if (n->kind == '"')
        buf_char(out, '"');
    if (n->kind == 'r' && n->text.len == 0)
        buf_str(out, "null");
    else if (n->kind == 'r' || n->kind == '"')
        buf_add(out, n->text.data, n->text.len);
    else
        buf_char(out, n->kind);
    for (size_t i = 0; i < n->count; i++) {
        buf_str(out, i ? "," : "");
        if (n->kind == '{') {
            buf_str(out, n->item[i]->key);
            buf_char(out, ':');
        }
        fold_write(n->item[i], out);
    }
    if (n->kind != 'r')
        buf_char(out, n->kind == '{' ? '}' : n->kind == '[' ? ']' : '"');
}

struct json fold_text(const struct node *n)
{
    return n->kind == '"' && n->text.data ? (struct json){n->text.data, n->text.len}
                                          : (struct json){0};
}
