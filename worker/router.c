#include "router.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "keyring.h"

enum { HEADERS_MAX = 64, HEADER_MAX = 16384 };

struct service {
    const struct config_backend *config;
    const struct dialect *dialect;
    struct keyring keys;
    size_t base_len;
    struct endpoint *endpoints[KEYRING_MAX], *keyless; /* one a key; for when there is none */
};

struct router {
    const struct config *config;
    struct caller *caller;
    struct service services[CONFIG_BACKENDS_MAX];
};

void router_free(struct router *r)
{
    for (size_t i = 0; i < r->config->backends.count; i++)
        keyring_free(&r->services[i].keys);
    free(r);
}

size_t router_backend(const struct router *r, const struct config_candidate *c)
{
    return (size_t)(config_backend_find(r->config, c->backend) -
                    (const struct config_backend *)r->config->backends.items);
}

/* "Authorization: Bearer KEY", or as the configuration says. */
static void write_key_header(const struct service *s, const char *key, struct buf *out)
{
    const char *header = s->config->key_header;
    if (header)
        buf_printf(out, "%s: %s", header, key);
    else
        buf_printf(out, "%s%s", s->dialect->key_header, key);
}

/* `secret` may be NULL: calls carry no key. */
static struct endpoint *make_endpoint(struct router *r, struct service *s, const char *secret)
{
    struct buf key;
    const char *headers[HEADERS_MAX];
    char *lines[HEADERS_MAX];
    size_t n = 0, own = 0;
    buf_init(&key, HEADER_MAX);
    headers[n++] = "Content-Type: application/json";
    headers[n++] = "User-Agent: quern/" QUERN_VERSION;
    headers[n++] = "Accept:"; /* libcurl's own is left out: each byte costs it 130 instructions */
    headers[n++] = "Expect:"; /* no round trip to ask whether the body may be sent */
    for (size_t i = 0; s->dialect->headers[i]; i++)
        headers[n++] = s->dialect->headers[i];
    if (secret) {
        write_key_header(s, secret, &key);
        headers[n++] = key.data;
    }
    for (size_t i = 0; i < s->config->headers.count && n < HEADERS_MAX; i++) {
        const struct config_pair *h = &s->config->headers.items[i];
        headers[n++] = lines[own++] = mem_format("%s: %s", h->name, h->value);
    }
    struct endpoint *e = caller_endpoint(r->caller, s->config, headers, n);
    while (own > 0)
        free(lines[--own]);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_free(&key);
    return e;
}

/* Fails, and changes nothing, if the keys cannot be read. */
static quern_status read_keys(struct router *r, struct service *s, bool *changed, struct error *err)
{
    const struct config_backend *b = s->config;
    char *text;
    quern_status status = config_secret(b->api_key_env, b->api_key_file, &text, err);
    if (status == QUERN_OK)
        status = keyring_read(&s->keys, text, changed, err);
    free(text);
    if (status != QUERN_OK)
        return error_prefix(err, "backend \"%s\": %s", b->name,
                            b->api_key_file ? "api_key_file" : "api_key_env");
    for (size_t i = s->keys.first; *changed && i < s->keys.count; i++) {
        const size_t slot = keyring_slot(i);
        s->endpoints[slot] = make_endpoint(r, s, s->keys.keys[slot]);
    }
    if (keyring_size(&s->keys) == 0 && (b->api_key_env || b->api_key_file))
        log_warn("a key is not set; calls go without one", LOG_S("backend", b->name),
                 LOG_S("variable", b->api_key_env ? b->api_key_env : ""),
                 LOG_S("file", b->api_key_file ? b->api_key_file : ""));
    return QUERN_OK;
}

struct router *router_new(const struct config *c, struct caller *caller, struct error *err)
{
    const struct config_backend *b = c->backends.items;
    struct router *r = mem_zero(sizeof *r);
    bool changed = false;
    r->config = c;
    r->caller = caller;
    for (size_t i = 0; i < c->backends.count; i++) {
        struct service *s = &r->services[i];
        s->config = &b[i];
        s->dialect = dialects[b[i].dialect];
        if (read_keys(r, s, &changed, err) != QUERN_OK) {
            router_free(r);
            return NULL;
        }
        s->base_len = strlen(b[i].base_url);
        while (s->base_len && b[i].base_url[s->base_len - 1] == '/')
            s->base_len--;
        s->keyless = make_endpoint(r, s, NULL);
    }
    return r;
}

void router_read_keys(struct router *r)
{
    for (size_t i = 0; i < r->config->backends.count; i++) {
        struct service *s = &r->services[i];
        struct error err;
        bool changed = false;
        if (read_keys(r, s, &changed, &err) != QUERN_OK)
            log_error("cannot read keys again; the old ones stay", LOG_S("error", err.message));
        else
            log_info(changed ? "keys changed" : "keys are the same",
                     LOG_S("backend", s->config->name), LOG_N("keys", keyring_size(&s->keys)));
    }
}

struct endpoint *router_endpoint(const struct router *r, size_t backend, size_t *key)
{
    const struct service *s = &r->services[backend];
    *key = s->keys.now;
    return keyring_size(&s->keys) ? s->endpoints[keyring_slot(s->keys.now)] : s->keyless;
}

size_t router_keys(const struct router *r, size_t backend)
{
    return keyring_size(&r->services[backend].keys);
}

bool router_refuse_key(struct router *r, size_t backend, size_t key)
{
    struct service *s = &r->services[backend];
    const size_t before = s->keys.now;
    keyring_refuse(&s->keys, key);
    if (before != s->keys.now)
        log_warn("a key was refused; the next is used", LOG_S("backend", s->config->name),
                 LOG_N("refused", before - s->keys.first + 1),
                 LOG_N("next", s->keys.now - s->keys.first + 1));
    return key < s->keys.first;
}

void router_url(const struct router *r, size_t backend, const struct request *q, struct buf *out)
{
    const struct service *s = &r->services[backend];
    const char *path = s->config->url_path ? s->config->url_path : "{path}";
    buf_add(out, s->config->base_url, s->base_len);
    while (*path) {
        if (strncmp(path, "{path}", 6) == 0) {
            s->dialect->path(q, out);
            path += 6;
        } else if (strncmp(path, "{model}", 7) == 0) {
            buf_url_segment(out, q->model);
            path += 7;
        } else {
            buf_char(out, *path++);
        }
    }
}

const struct dialect *router_dialect(const struct router *r, size_t backend)
{
    return r->services[backend].dialect;
}

void router_redact(const struct router *r, size_t backend, char *text, size_t len, bool answer)
{
    keyring_redact(&r->services[backend].keys, text, len, answer);
}
