/* The least that the parts of a worker can cost: the same bodies through nothing but the library.
 * What quern needs beyond their sum is its own.
 *
 *   bench-floors http URL FILE IN_FLIGHT COUNT    libcurl in libev, FILE's lines as bodies
 *   bench-floors consume BROKERS TOPIC COUNT      librdkafka
 *   bench-floors produce BROKERS TOPIC FILE COUNT librdkafka, FILE's lines as records
 *   bench-floors insert DATABASE_URL COUNT BATCH  libpq: unnest() of two columns, a commit a batch
 *
 * Prints {"count": N, "wall_s": S, "cpu_s": S, "rss_mb": N}: of this process. */
#include <curl/curl.h>
#include <ev.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { PER_MULTI = 128, MULTIS_MAX = 64, LINES_MAX = 4096, SOCKETS_MAX = 1 << 16, WAIT_MS = 10000 };

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench-floors: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this program: ru_maxrss has in it what its parent was when it was started. */
static double peak_rss_kib(void)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (f)
        (void)fclose(f);
    return kib;
}

static void tell(long count, double since)
{
    double wall = now() - since;
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    printf("{\"count\": %ld, \"wall_s\": %.6f, \"cpu_s\": %.6f, \"rss_mb\": %.1f}\n", count, wall,
           seconds(u.ru_utime) + seconds(u.ru_stime), peak_rss_kib() / 1024);
}

/* ---- http ----------------------------------------------------------------------------------- */

struct multi {
    CURLM *handle;
    ev_timer timer;
};

static struct {
    struct ev_loop *loop;
    struct multi multis[MULTIS_MAX];
    ev_io sockets[SOCKETS_MAX];
    char *lines[LINES_MAX];
    size_t line_count;
    long to_start, to_end;
} http;

static void collect(struct multi *m);

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    int running, action = (events & EV_READ ? CURL_CSELECT_IN : 0) |
                          (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    (void)loop;
    (void)curl_multi_socket_action(((struct multi *)w->data)->handle, w->fd, action, &running);
    collect(w->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    int running;
    (void)loop;
    (void)events;
    (void)curl_multi_socket_action(((struct multi *)w->data)->handle, CURL_SOCKET_TIMEOUT, 0,
                                   &running);
    collect(w->data);
}

static int want_timer(CURLM *handle, long ms, void *arg)
{
    struct multi *m = arg;
    (void)handle;
    ev_timer_stop(http.loop, &m->timer);
    if (ms >= 0) {
        ev_timer_set(&m->timer, (double)ms / 1000, 0.);
        ev_timer_start(http.loop, &m->timer);
    }
    return 0;
}

static int want_io(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    (void)easy;
    (void)unused;
    if (fd >= SOCKETS_MAX)
        fail("sockets", "too many");
    ev_io *w = &http.sockets[fd];
    ev_io_stop(http.loop, w);
    if (what == CURL_POLL_REMOVE)
        return 0;
    ev_io_init(w, on_io, fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    w->data = arg;
    ev_io_start(http.loop, w);
    return 0;
}

static size_t swallow(char *bytes, size_t one, size_t n, void *arg)
{
    (void)bytes;
    (void)arg;
    return one * n;
}

static void send_next(struct multi *m, CURL *easy)
{
    const char *body = http.lines[(size_t)http.to_start-- % http.line_count];
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    (void)curl_multi_add_handle(m->handle, easy);
}

static void collect(struct multi *m)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(m->handle, &left))) {
        CURL *easy = message->easy_handle;
        if (message->data.result != CURLE_OK)
            fail("a call", curl_easy_strerror(message->data.result));
        (void)curl_multi_remove_handle(m->handle, easy);
        if (http.to_start > 0)
            send_next(m, easy);
        if (--http.to_end == 0)
            ev_break(http.loop, EVBREAK_ALL);
    }
}

static void read_lines(const char *path)
{
    FILE *f = fopen(path, "re");
    size_t cap = 0;
    while (f && http.line_count < LINES_MAX) {
        char *line = NULL;
        if (getline(&line, &cap, f) < 0)
            break;
        cap = 0;
        http.lines[http.line_count++] = line;
    }
    if (http.line_count == 0)
        fail(path, "no lines");
    (void)fclose(f);
}

static void run_http(char **argv)
{
    long in_flight = atol(argv[2]), count = atol(argv[3]);
    size_t multis = ((size_t)in_flight + PER_MULTI - 1) / PER_MULTI;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Authorization: Bearer none");
    read_lines(argv[1]);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    http.loop = ev_default_loop(EVFLAG_AUTO);
    http.to_start = http.to_end = count;
    multis = multis > MULTIS_MAX ? MULTIS_MAX : multis;
    for (size_t i = 0; i < multis; i++) {
        struct multi *m = &http.multis[i];
        m->handle = curl_multi_init();
        ev_timer_init(&m->timer, on_timer, 0., 0.);
        m->timer.data = m;
        (void)curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, want_io);
        (void)curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
        (void)curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, want_timer);
        (void)curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
    }
    double since = now();
    for (long i = 0; i < in_flight && http.to_start > 0; i++) {
        CURL *easy = curl_easy_init();
        (void)curl_easy_setopt(easy, CURLOPT_URL, argv[0]);
        (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        send_next(&http.multis[(size_t)i % multis], easy);
    }
    ev_run(http.loop, 0);
    tell(count, since);
}

/* ---- Kafka ---------------------------------------------------------------------------------- */

/* A client with such properties, up to one without a name. */
static rd_kafka_t *kafka_client(rd_kafka_type_t type, const char *brokers,
                                const char *const properties[][2])
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
    for (size_t i = 0; properties[i][0]; i++)
        (void)rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (!rk)
        fail("Kafka", text);
    return rk;
}

static void run_consume(char **argv)
{
    static const char *const properties[][2] = {{"group.id", "floors"},
                                                {"auto.offset.reset", "earliest"},
                                                {"enable.auto.commit", "false"},
                                                {"fetch.message.max.bytes", "65536"},
                                                {"queued.max.messages.kbytes", "4096"},
                                                {NULL, NULL}};
    long count = atol(argv[2]), have = 0;
    double since = 0;
    rd_kafka_t *rk = kafka_client(RD_KAFKA_CONSUMER, argv[0], properties);
    (void)rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, argv[1], RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(rk, topics);
    while (have < count) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, WAIT_MS);
        if (!m)
            fail("consumer", "nothing comes");
        since = since > 0 ? since : now();
        have += m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        rd_kafka_message_destroy(m);
    }
    tell(count, since);
    rd_kafka_topic_partition_list_destroy(topics);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void run_produce(char **argv)
{
    static const char *const properties[][2] = {{"enable.idempotence", "true"}, /* as quern's */
                                                {"compression.codec", "lz4"},
                                                {"linger.ms", "5"},
                                                {NULL, NULL}};
    const long count = atol(argv[3]);
    rd_kafka_t *rk = kafka_client(RD_KAFKA_PRODUCER, argv[0], properties);
    read_lines(argv[2]);
    const double since = now();
    for (long i = 0; i < count; i++) {
        char *line = http.lines[(size_t)i % http.line_count];
        while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[1]),
                                 RD_KAFKA_V_VALUE(line, strlen(line)),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
            (void)rd_kafka_poll(rk, 10); /* its queue is full */
        (void)rd_kafka_poll(rk, 0);
    }
    if (rd_kafka_flush(rk, 6 * WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("producer", "not all records were taken");
    tell(count, since);
    rd_kafka_destroy(rk);
}

/* ---- insert --------------------------------------------------------------------------------- */

static void check(PGconn *db, PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail("PostgreSQL", PQerrorMessage(db));
    PQclear(r);
}

/* Text arrays: custom ids and bodies of about a kilobyte. */
static void fill(char *ids, char *bodies, long from, long n)
{
    enum { BODY = 970 };
    char *i = ids, *b = bodies;
    for (long k = 0; k < n; k++) {
        i += sprintf(i, "%ct-%ld", k ? ',' : '{', from + k);
        *b++ = k ? ',' : '{';
        memset(b, 'a', BODY);
        b += BODY;
    }
    (void)strcpy(i, "}");
    (void)strcpy(b, "}");
}

static void run_insert(char **argv)
{
    long count = atol(argv[1]), batch = atol(argv[2]);
    PGconn *db = PQconnectdb(argv[0]);
    if (PQstatus(db) != CONNECTION_OK)
        fail("PostgreSQL", PQerrorMessage(db));
    check(db,
          PQexec(db, "CREATE TABLE floor (job uuid, id text, body text, PRIMARY KEY (job, id))"));
    check(db, PQprepare(db, "i",
                        "INSERT INTO floor SELECT '00000000-0000-0000-0000-000000000000', * "
                        "FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING",
                        2, NULL));
    char *ids = malloc((size_t)batch * 32), *bodies = malloc((size_t)batch * 1024);
    if (!ids || !bodies)
        fail("memory", "none");
    double since = now();
    for (long i = 0; i < count; i += batch) {
        const char *const values[] = {ids, bodies};
        fill(ids, bodies, i, count - i < batch ? count - i : batch);
        check(db, PQexecPrepared(db, "i", 2, values, NULL, NULL, 0));
    }
    tell(count, since);
    free(ids);
    free(bodies);
    PQfinish(db);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        void (*run)(char **argv);
    } floors[] = {{"http", 4, run_http},
                  {"consume", 3, run_consume},
                  {"produce", 4, run_produce},
                  {"insert", 3, run_insert}};
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++) {
        if (argc == floors[i].arguments + 2 && strcmp(argv[1], floors[i].name) == 0) {
            floors[i].run(argv + 2);
            return 0;
        }
    }
    (void)fputs("usage: see bench/README.md\n", stderr);
    return 2;
}
