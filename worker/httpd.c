#include "httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"

enum {
    CONNECTIONS_MAX = 128,
    CONNECTIONS_PER_HOST = 16,
    CONNECTION_BYTES = 16 << 10,
    CONNECTION_SECONDS = 5,
    BACKLOG = 32,
    HOST_MAX = 256
};

struct httpd {
    struct ev_loop *loop;
    httpd_page *page;
    void *arg;
    struct MHD_Daemon *daemon;
    ev_io io;       /* its epoll descriptor */
    ev_timer timer; /* its own time-outs */
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, struct buf *body)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    (void)MHD_add_response_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(r, "Allow", "GET, HEAD");
    enum MHD_Result done = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return done;
}

/* Called twice a request: with its headers, then with its end; the state tells them apart. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    static int begun;
    struct httpd *h = arg;
    struct buf body;
    unsigned status;
    (void)version;
    (void)data;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    *size = 0; /* a body is of no interest */
    buf_init(&body, HTTPD_BODY_MAX);
    buf_str(&body, "");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_str(&body, "only GET\n");
    } else if ((status = h->page(h->arg, path, &body)) == 0) {
        status = MHD_HTTP_NOT_FOUND;
        buf_str(&body, "there are /metrics, /healthz and /readyz\n");
    }
    if (body.overflow)
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    enum MHD_Result done = reply(c, status, &body);
    buf_free(&body);
    return done;
}

/* Lets it do what it has to, and asks when it wants to be called again. */
static void turn(struct httpd *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    (void)MHD_run(h->daemon);
    ev_timer_stop(h->loop, &h->timer);
    if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
        return;
    ev_timer_set(&h->timer, (double)ms / 1000.0, 0.);
    ev_timer_start(h->loop, &h->timer);
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    turn(w->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    turn(w->data);
}

/* The port is what stands behind the last colon; the host may be in brackets. */
static bool split(const char *listen, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(listen, ':');
    size_t from = 0, len = colon ? (size_t)(colon - listen) : 0;
    if (!colon || !colon[1] || len >= HOST_MAX)
        return false;
    if (len >= 2 && listen[0] == '[' && listen[len - 1] == ']') {
        from = 1;
        len -= 2;
    }
    memcpy(host, listen + from, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static int open_socket(const struct addrinfo *a)
{
    const int yes = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    const int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/* Of all addresses at once, IPv6's takes IPv4 too, where there is any IPv6. */
static int open_first(const struct addrinfo *found)
{
    static const int families[] = {AF_INET6, AF_INET};
    int fd = -1;
    for (int i = 0; i < 2; i++)
        for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
            if (a->ai_family == families[i])
                fd = open_socket(a);
    return fd;
}

static int listen_on(const char *where, struct error *err)
{
    struct addrinfo want = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[HOST_MAX];
    const char *port;
    if (!split(where, host, &port)) {
        (void)error_set(err, ERROR_FATAL, "config", "metrics.listen \"%s\": give HOST:PORT", where);
        return -1;
    }
    const int code = getaddrinfo(host[0] ? host : NULL, port, &want, &found);
    int fd = code == 0 ? open_first(found) : -1;
    if (fd < 0)
        (void)error_set(err, ERROR_FATAL, "listen",
                        "metrics.listen \"%s\": cannot listen there: %s; is another worker's the "
                        "same?",
                        where, code ? gai_strerror(code) : strerror(errno));
    if (found)
        freeaddrinfo(found);
    return fd;
}

static void log_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&a, &len) == 0 &&
        getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        log_info("metrics", LOG_S("host", host), LOG_N("port", strtol(port, NULL, 10)));
}

struct httpd *httpd_new(struct ev_loop *loop, const char *listen, httpd_page *page, void *arg,
                        struct error *err)
{
    int fd = listen_on(listen, err);
    if (fd < 0)
        return NULL;
    struct httpd *h = mem_zero(sizeof *h);
    h->loop = loop;
    h->page = page;
    h->arg = arg;
    h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_PER_HOST, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)CONNECTION_SECONDS, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    ev_timer_init(&h->timer, on_timer, 0., 0.);
    ev_io_init(&h->io, on_io, info ? info->epoll_fd : -1, EV_READ);
    h->timer.data = h->io.data = h;
    if (!info) {
        (void)error_set(err, ERROR_FATAL, "listen", "metrics.listen \"%s\": no server starts",
                        listen);
        if (!h->daemon)
            (void)close(fd);
        httpd_free(h);
        return NULL;
    }
    log_port(fd);
    ev_io_start(loop, &h->io);
    return h;
}

void httpd_free(struct httpd *h)
{
    if (!h)
        return;
    ev_io_stop(h->loop, &h->io);
    ev_timer_stop(h->loop, &h->timer);
    if (h->daemon)
        MHD_stop_daemon(h->daemon); /* closes its socket */
    free(h);
}
