#include "router.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

enum { PATHS_MAX = 8, HEADERS_MAX = 64, HEADER_MAX = 16384 };

struct path {
    char *url;
    struct endpoint *endpoint;
};

struct service {
    const struct config_backend *config;
    const struct dialect *dialect;
    char *key; /* NULL: none */
    struct path paths[PATHS_MAX];
};

struct router {
    const struct config *config;
    struct caller *caller;
    struct service services[CONFIG_BACKENDS_MAX];
};

struct router *router_new(const struct config *c, struct caller *caller, struct error *err)
{
    const struct config_backend *b = c->backends.items;
    struct router *r = mem_zero(sizeof *r);
    r->config = c;
    r->caller = caller;
    for (size_t i = 0; i < c->backends.count; i++) {
        struct service *s = &r->services[i];
        s->config = &b[i];
        s->dialect = dialects[b[i].dialect];
        if (config_secret(b[i].api_key_env, b[i].api_key_file, &s->key, err) != QUERN_OK) {
            (void)error_prefix(err, "backend \"%s\": api_key_file", b[i].name);
            router_free(r);
            return NULL;
        }
        if (!s->key && b[i].api_key_env)
            log_warn("a key is not set; calls go without one", LOG_S("backend", b[i].name),
                     LOG_S("variable", b[i].api_key_env));
    }
    return r;
}

void router_free(struct router *r)
{
    for (size_t i = 0; i < r->config->backends.count; i++) {
        struct service *s = &r->services[i];
        if (s->key)
            explicit_bzero(s->key, strlen(s->key));
        free(s->key);
        for (size_t j = 0; j < PATHS_MAX; j++)
            free(s->paths[j].url);
    }
    free(r);
}

const struct config_model *router_find(const struct router *r, const char *model)
{
    return config_model_find(r->config, model);
}

size_t router_backend(const struct router *r, const struct config_candidate *c)
{
    return (size_t)(config_backend_find(r->config, c->backend) -
                    (const struct config_backend *)r->config->backends.items);
}

static struct endpoint *make_endpoint(struct router *r, struct service *s, const char *url)
{
    struct buf target, key;
    const char *headers[HEADERS_MAX];
    char *lines[HEADERS_MAX];
    size_t n = 0, own = 0;
    buf_init(&target, HEADER_MAX);
    buf_init(&key, HEADER_MAX);
    size_t base = strlen(s->config->base_url);
    while (base && s->config->base_url[base - 1] == '/')
        base--;
    buf_add(&target, s->config->base_url, base);
    s->dialect->path(url, &target);
    headers[n++] = "Content-Type: application/json";
    headers[n++] = "Accept: application/json";
    headers[n++] = "Expect:"; /* no round trip to ask whether the body may be sent */
    if (s->key) {
        s->dialect->key_header(s->key, &key);
        headers[n++] = key.data;
    }
    for (size_t i = 0; i < s->config->headers.count && n < HEADERS_MAX; i++) {
        const struct config_pair *h = &s->config->headers.items[i];
        headers[n++] = lines[own++] = mem_format("%s: %s", h->name, h->value);
    }
    struct endpoint *e = caller_endpoint(r->caller, s->config, target.data, headers, n);
    while (own > 0)
        free(lines[--own]);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_free(&key);
    buf_free(&target);
    return e;
}

struct endpoint *router_endpoint(struct router *r, size_t backend, const char *url)
{
    struct service *s = &r->services[backend];
    size_t i = 0;
    while (i < PATHS_MAX - 1 && s->paths[i].url && strcmp(s->paths[i].url, url) != 0)
        i++; /* there are fewer known urls than places */
    if (!s->paths[i].url) {
        s->paths[i].url = mem_string(url);
        s->paths[i].endpoint = make_endpoint(r, s, url);
    }
    return s->paths[i].endpoint;
}

const struct dialect *router_dialect(const struct router *r, size_t backend)
{
    return r->services[backend].dialect;
}

void router_redact(const struct router *r, size_t backend, char *text, size_t len)
{
    const char *key = r->services[backend].key;
    size_t n = key ? strlen(key) : 0;
    char *end = text + len, *at;
    while (n && (at = memmem(text, (size_t)(end - text), key, n)) != NULL) {
        memset(at, '*', n);
        text = at + n;
    }
}
