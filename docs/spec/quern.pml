/*
 * What quern's workers do with a task between Kafka, the backends and PostgreSQL, under crashes,
 * rebalances, frozen workers ("zombies"), lost replies, cancellation and replay.
 *
 * README.md says what the properties mean and which C function each step stands for; check.sh runs
 * everything. A step of the model is one thing that nobody can look into: one turn of a worker's
 * loop, one transaction, one acknowledged record. Where the real thing takes longer, the steps of
 * others may come between two steps here.
 *
 * -DMISTAKE=name plants a mistake, which must be found; -DPROBE=name makes an interesting state an
 * error, so that "error found" proves that the model really gets there.
 */

/* ---- bounds --------------------------------------------------------------------------------- */

#ifndef CRASHES
#define CRASHES 0 /* a worker loses its memory */
#endif
#ifndef ZOMBIES
#define ZOMBIES 0 /* partitions are taken from a worker that does not know it yet */
#endif
#ifndef REVOKES
#define REVOKES 0 /* a partition is asked back, and given back in order */
#endif
#ifndef CANCELS
#define CANCELS 0 /* the job is cancelled: generation 0 */
#endif
#ifndef REPLAYS
#define REPLAYS 0 /* a dead-lettered task is submitted anew: generation 1 */
#endif
#ifndef RETRIES
#define RETRIES 0 /* short retries, in memory, of one record */
#endif
#ifndef PARKS
#define PARKS 0 /* how often a task may go through the retry topic */
#endif
#ifndef COPIES
#define COPIES 0 /* room in the retry topic; too little is an error */
#endif
#ifndef CALLS
#define CALLS 4 /* room for calls of one generation of a task; too little is an error */
#endif

#ifndef TASKS
#define TASKS 2 /* 2: a good and a bad one; 1: only a bad one */
#endif

#define GOOD 0 /* always succeeds when called, unless it is the bad one */
#if TASKS > 1
#define BAD 1 /* succeeds, fails for now, or fails for good */
#else
#define BAD 0
#endif

/* Late answers matter where the same entry calls again; elsewhere they would only cost states. */
#define LATE_ANSWERS (RETRIES > 0)

/* ---- mistakes and probes -------------------------------------------------------------------- */

#define none 0
#define commit_before_settle 1
#define highest_seen 2
#define dead_letter_not_awaited 3
#define no_fresh_token 4
#define park_not_awaited 5
#define settle_not_idempotent 6
#define books_not_idempotent 7
#define loser_ignores_letter 8
#define cancel_unchecked 9
#define cancel_hits_all 10
#define park_unconditional 11
#define note_without_version 12
#define generation_ignored 13
#define parked_row_believed 14
#define abort_unbooked 15
#define replay_not_resumed 16
#define look_up_skipped 17
#define parker_ignores_letter 18
#ifndef MISTAKE
#define MISTAKE none
#endif

#define quiet_after_faults 101
#define copy_published_again 102
#define letter_published_again 103
#define zombie_answer 104
#define zombie_settles 105
#define cancelled_in_flight 106
#define parked_copy_cancelled 107
#define stale_answer 108
#define settled_by_another 109
#define reply_lost_after_commit 110
#define park_refused 111
#define replay_called_after_cancel 112
#define old_generation_late 113
#define given_up_at_revoke 114
#define twin_waits 115
#define zombie_commit_fenced 116
#define second_copy 117
#define parked_and_done 118
#define paid_twice 119
#ifndef PROBE
#define PROBE none
#endif
#define reached(x) assert(PROBE != x)

/* The names of the properties; none is ever set. `holds` puts the name in spin's message. */
hidden byte commit_safety, one_result, no_loss, no_stranded, cancel_kept, cancel_exact;
hidden byte calls_bounded, books, bounds_of_the_model;
#define holds(property, x) assert(property || (x))

/* ---- Kafka ---------------------------------------------------------------------------------- */

/* Partition 0 is the lane, partition 1 the retry topic. A record's number is its place in `log`;
 * offsets are such numbers too. */
#define LANE_ROOM (TASKS + REPLAYS)
#define RECORDS (LANE_ROOM + COPIES)
#define PARTITIONS (PARKS > 0 -> 2 : 1)
#define FIRST(p) ((p)*LANE_ROOM)
#define LAST(p) (LANE_ROOM - 1 + (p)*COPIES)
#define PART(r) ((r) >= LANE_ROOM)

typedef record {
    byte task, gen, seq /* how often it was parked before */
};
record log[RECORDS];
byte tail[2];       /* the next record goes here */
byte committed[2]; /* offsets */
byte owner[2];     /* as the group's coordinator has it */

/* One generation of one task. */
#define UNIT(t, g) ((t)*2 + (g))
#define UNITS (TASKS * 2)
#define TASK log[r].task
#define GEN log[r].gen
#define SEQ log[r].seq
#define U UNIT(TASK, GEN)

bit dead[UNITS];     /* its letter is in the dead-letter topic */
byte copied[UNITS];  /* the highest seq that the retry topic has acknowledged */

/* ---- PostgreSQL ----------------------------------------------------------------------------- */

#define OK 1
#define FAILED 2
#define CANCELLED 3

byte result[TASKS];        /* 0: none; generation + 1 */
byte status[TASKS];        /* of that result */
#define NO_LETTER 0
#define UNPUBLISHED 1
#define PUBLISHED 2
byte letter[UNITS];        /* row of dead_letters */
bit replayed[TASKS];       /* that row's mark */
byte parked_seq[TASKS];    /* row of parked; 0: none */
byte parked_gen[TASKS];
bit parked_published[TASKS];
bit cancelled;             /* the job, up to generation 0 */

/* The calls, each with its own token, which is its place here. */
#define FLYING 1   /* the backend works on it */
#define ANSWERED 2 /* and what it cost is known to its owner */
#define ABORTED 3  /* its owner hung up */
#define BOOKED 4   /* row of attempts */
#define LOST 5     /* its owner crashed before it was booked */
byte call[UNITS * CALLS];
byte paid[UNITS];

/* Only to check: results written; and the reasons to call again: retries and parkings of the task,
 * losses of an owner: a crash, a partition given back, each partition taken from a zombie. */
byte wins[UNITS];
byte again[UNITS];
byte losses;

/* ---- workers -------------------------------------------------------------------------------- */

#define NOTHING 0
#define CHECKING 1 /* look-up asked */
#define READY 2    /* nothing is known; the answer of the look-up is on its way, or it waits */
#define CALLING 3
#define SETTLING 4 /* a transaction is on its way: result, parked row, or only the books */
#define SENDING 5  /* letter or parked copy on its way to Kafka */
#define NOTING 6   /* slot done; that it is published is still to be written down */

#define GIVEN_UP 0 /* outcomes: OK, FAILED, CANCELLED as above, and these */
#define PARK 4

/* What a worker knows of a record. */
typedef entry {
    byte state, outcome;
    byte attempts;  /* bits: its calls that are not known to be booked */
    byte token;     /* of the call that it waits for */
    byte seq;       /* of the copy that it sends */
    bit done;       /* its slot in the window */
    bit released;   /* its partition was given back: there is no slot any more */
    bit stale       /* the answer of an aborted call may still come */
};
entry e[2 * RECORDS];
bit owns[4];     /* worker, partition: the worker thinks so */
bit revoking[4]; /* it was asked to give it back */
byte base[4];    /* its window's first offset */
bit busy[4];     /* worker, task: an entry is in charge; twins wait */
bit knows[2];    /* of the cancellation */

#define OTHER(w) (1 - (w))
#define me e[(w)*RECORDS + (r)]
#define WP (w)*2 + (p)
#define MINE (w)*2 + PART(r)
#define TWINS (w)*2 + TASK

byte crashes = CRASHES, zombies = ZOMBIES, revokes = REVOKES, cancels = CANCELS;

hidden byte i, k, mark; /* only inside one step */

#define HAS_RESULT (result[TASK] > GEN)
#define SUPERSEDED (result[TASK] > GEN + 1)
#define LETTER_OWED (result[TASK] == GEN + 1 && letter[U] == UNPUBLISHED)
#define PARKED_BEYOND(s) (parked_seq[TASK] > (s) && parked_gen[TASK] == GEN)
#define CANCEL_MEANT (GEN == 0 || MISTAKE == cancel_hits_all)

/* ---- the end of an entry -------------------------------------------------------------------- */

/* The slot is done only if the window is still ours. */
inline slot_done(w, r)
{
    me.done = !me.released;
}

inline leave(w, r)
{
    busy[TWINS] = 0;
    me.state = NOTHING;
    me.outcome = 0;
    me.seq = 0;
    me.released = 0;
}

inline complete(w, r)
{
    slot_done(w, r);
    leave(w, r);
}

inline send_letter(w, r)
{
    me.outcome = status[TASK];
    me.state = SENDING;
    if
    :: MISTAKE == dead_letter_not_awaited -> slot_done(w, r)
    :: else
    fi
}

inline send_copy(w, r)
{
    me.outcome = PARK;
    me.seq = parked_seq[TASK];
    me.state = SENDING;
    if
    :: MISTAKE == park_not_awaited -> slot_done(w, r)
    :: else
    fi
}

/* ---- checking ------------------------------------------------------------------------------- */

/* One statement reads result, letter, parked row and cancellation. */
inline look_up(w, r)
{
    if
    :: SUPERSEDED -> complete(w, r)
    :: LETTER_OWED ->
        reached(letter_published_again);
        send_letter(w, r)
    :: result[TASK] == GEN + 1 && !LETTER_OWED -> complete(w, r)
    :: !HAS_RESULT && PARKED_BEYOND(SEQ) ->
        if
        :: parked_published[TASK] || MISTAKE == parked_row_believed ->
            reached(parked_and_done);
            complete(w, r)
        :: else ->
            reached(copy_published_again);
            send_copy(w, r)
        fi
    :: !HAS_RESULT && !PARKED_BEYOND(SEQ) ->
        if
        :: cancelled && CANCEL_MEANT ->
            if
            :: SEQ > 0 -> reached(parked_copy_cancelled)
            :: else
            fi;
            me.outcome = CANCELLED;
            me.state = SETTLING
        :: else -> me.state = READY
        fi
    fi
}

/* ---- calling -------------------------------------------------------------------------------- */

inline dispatch(w, r)
{
    if
    :: knows[w] && CANCEL_MEANT && MISTAKE != cancel_unchecked ->
        me.outcome = CANCELLED;
        me.state = SETTLING
    :: else ->
        holds(cancel_kept, !(knows[w] && GEN == 0));
        holds(bounds_of_the_model, paid[U] < CALLS);
        me.token = paid[U];
        me.attempts = me.attempts | (1 << me.token);
        call[U * CALLS + me.token] = FLYING;
        paid[U]++;
        holds(calls_bounded, paid[U] <= 1 + again[U] + losses);
        me.state = CALLING;
        if
        :: paid[U] > 1 + again[U] -> reached(paid_twice)
        :: GEN == 1 && cancelled -> reached(replay_called_after_cancel)
        :: else
        fi
    fi
}

inline end_call(w, r, how)
{
    call[U * CALLS + me.token] = how;
    me.token = 0
}

inline outcome_is(w, r, what)
{
    me.outcome = what;
    me.state = SETTLING
}

/* The answer that the entry waits for; its token fits. */
inline answered(w, r, what)
{
    if
    :: owner[PART(r)] != w -> reached(zombie_answer)
    :: else
    fi;
    end_call(w, r, ANSWERED);
    outcome_is(w, r, what);
    if
    :: MISTAKE == commit_before_settle -> slot_done(w, r)
    :: else
    fi
}

inline abort_call(w, r, what)
{
    end_call(w, r, ABORTED);
    me.stale = LATE_ANSWERS;
    outcome_is(w, r, what)
}

/* Failed for now: the next owner tries again, or a timer here, or the retry topic, or nobody. */
#define MAY_RETRY (RETRIES > 0 && (me.attempts & (me.attempts - 1)) == 0 && !revoking[MINE])
#define MAY_PARK (SEQ < PARKS && !revoking[MINE])

inline retry_soon(w, r)
{
    again[U]++;
    end_call(w, r, ABORTED); /* a timeout: the answer may still come */
    me.stale = LATE_ANSWERS;
    me.state = READY
}

/* The answer of a call that was aborted: its token fits nothing. */
inline late_answer(w, r)
{
    me.stale = 0;
    if
    :: me.state == CALLING ->
        reached(stale_answer);
        if
        :: MISTAKE == no_fresh_token -> outcome_is(w, r, OK); me.token = 0
        :: else
        fi
    :: else
    fi
}

/* ---- settling ------------------------------------------------------------------------------- */

/* Each attempt has a row under its token; a second time changes nothing. */
inline book(w, r)
{
    for (k : 0 .. CALLS - 1) {
        if
        :: (me.attempts >> k) & 1 ->
            holds(books, call[U * CALLS + k] != FLYING); /* what it cost is not known yet */
            holds(books, !(MISTAKE == books_not_idempotent && call[U * CALLS + k] == BOOKED));
            if
            :: MISTAKE == abort_unbooked && call[U * CALLS + k] == ABORTED
            :: else -> call[U * CALLS + k] = BOOKED
            fi
        :: else
        fi
    };
    k = 0
}

inline unpark(r)
{
    parked_seq[TASK] = 0;
    parked_gen[TASK] = 0;
    parked_published[TASK] = 0
}

/* A result of the same or a newer generation stays. The letter's row is of the same transaction. */
inline write_result(w, r)
{
    if
    :: !HAS_RESULT || MISTAKE == settle_not_idempotent ||
       (MISTAKE == generation_ignored && SUPERSEDED) ->
        holds(one_result, wins[U] == 0);
        holds(one_result, result[TASK] <= GEN);
        holds(cancel_exact, me.outcome != CANCELLED || (cancelled && GEN == 0));
        wins[U]++;
        result[TASK] = GEN + 1;
        status[TASK] = me.outcome;
        if
        :: me.outcome != OK -> letter[U] = UNPUBLISHED
        :: else
        fi;
        if
        :: parked_gen[TASK] <= GEN -> unpark(r)
        :: else
        fi
    :: else ->
        if
        :: SUPERSEDED -> reached(old_generation_late)
        :: else -> reached(settled_by_another)
        fi
    fi
}

inline write_parked(w, r)
{
    if
    :: (!HAS_RESULT || MISTAKE == park_unconditional) && !PARKED_BEYOND(SEQ) ->
        again[U]++;
        parked_seq[TASK] = SEQ + 1;
        parked_gen[TASK] = GEN;
        parked_published[TASK] = 0
    :: HAS_RESULT && MISTAKE != park_unconditional -> reached(park_refused)
    :: else
    fi
}

inline transaction(w, r)
{
    if
    :: me.released && owner[PART(r)] != w && me.outcome != GIVEN_UP -> reached(zombie_settles)
    :: else
    fi;
    book(w, r);
    if
    :: me.outcome == GIVEN_UP -> reached(given_up_at_revoke)
    :: me.outcome == PARK -> write_parked(w, r)
    :: else -> write_result(w, r)
    fi
}

/* What the reply says of the rows as they are now, whoever wrote them, decides what is next. */
inline settled(w, r)
{
    me.attempts = 0;
    if
    :: me.outcome == GIVEN_UP -> leave(w, r)
    :: me.outcome == OK && MISTAKE == loser_ignores_letter -> complete(w, r)
    :: me.outcome == PARK && HAS_RESULT && MISTAKE == parker_ignores_letter -> complete(w, r)
    :: else ->
        if
        :: LETTER_OWED -> send_letter(w, r)
        :: !HAS_RESULT && me.outcome == PARK && !parked_published[TASK] -> send_copy(w, r)
        :: MISTAKE == park_unconditional && me.outcome == PARK -> send_copy(w, r)
        :: else -> complete(w, r)
        fi
    fi
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Kafka has appended and acknowledged it. */
inline acknowledged(w, r)
{
    if
    :: me.outcome == PARK ->
        holds(bounds_of_the_model, tail[1] < RECORDS);
        log[tail[1]].task = TASK;
        log[tail[1]].gen = GEN;
        log[tail[1]].seq = me.seq;
        if
        :: tail[1] > FIRST(1) -> reached(second_copy)
        :: else
        fi;
        tail[1]++;
        if
        :: copied[U] < me.seq -> copied[U] = me.seq
        :: else
        fi
    :: else -> dead[U] = 1
    fi;
    slot_done(w, r);
    me.released = 0;
    busy[TWINS] = 0;
    me.state = NOTING
}

/* The note is of one version of the row, and finds no other. */
inline note_published(w, r)
{
    if
    :: me.outcome == PARK ->
        if
        :: parked_seq[TASK] > 0 && ((parked_gen[TASK] == GEN && parked_seq[TASK] == me.seq) ||
                                    MISTAKE == note_without_version) ->
            parked_published[TASK] = 1
        :: else
        fi
    :: else -> letter[U] = PUBLISHED
    fi;
    me.state = NOTHING;
    me.outcome = 0;
    me.seq = 0
}

/* ---- one record in one worker --------------------------------------------------------------- */

proctype handle(byte w, r)
{
end:
    do
    :: d_step { me.state == NOTHING && !me.done && owns[MINE] && !revoking[MINE] &&
                r >= base[MINE] && r < tail[PART(r)] && !busy[TWINS] ->
            busy[TWINS] = 1;
            me.state = CHECKING }
    :: d_step { me.state == CHECKING && MISTAKE != look_up_skipped -> look_up(w, r) }
    :: d_step { me.state == CHECKING && MISTAKE == look_up_skipped -> me.state = READY }
    :: d_step { me.state == READY -> dispatch(w, r) }
    :: d_step { me.state == CALLING -> answered(w, r, OK) }
    :: d_step { me.state == CALLING && TASK == BAD -> answered(w, r, FAILED) }
    :: d_step { me.state == CALLING && TASK == BAD && MAY_PARK -> answered(w, r, PARK) }
    :: d_step { me.state == CALLING && TASK == BAD && revoking[MINE] -> answered(w, r, GIVEN_UP) }
    :: d_step { me.state == CALLING && MAY_RETRY -> retry_soon(w, r) }
    :: d_step { me.stale -> late_answer(w, r) }
    :: d_step { me.state == SETTLING -> transaction(w, r); settled(w, r) }
    :: d_step { me.state == SETTLING -> transaction(w, r); reached(reply_lost_after_commit) }
    :: d_step { me.state == SENDING -> acknowledged(w, r) }
    :: d_step { me.state == NOTING -> note_published(w, r) }
#if PROBE == twin_waits
    :: d_step { me.state == NOTHING && !me.done && owns[MINE] && r >= base[MINE] &&
                r < tail[PART(r)] && busy[TWINS] -> reached(twin_waits) }
#endif
    od
}

/* ---- one worker and its group --------------------------------------------------------------- */

/* Not started: forgotten, but for the books of earlier attempts. */
inline drop(w, r)
{
    if
    :: me.state == CHECKING -> leave(w, r)
    :: me.state == READY && me.attempts == 0 -> leave(w, r)
    :: me.state == READY && me.attempts != 0 -> outcome_is(w, r, GIVEN_UP)
    :: else
    fi
}

inline revoke(w, p)
{
    revokes--;
    losses++;
    revoking[WP] = 1;
    for (i : FIRST(p) .. LAST(p)) {
        drop(w, i)
    };
    i = 0
}

/* The partition goes: calls end, what is being written is still written, the window is no more. */
inline forget(w, p)
{
    for (i : FIRST(p) .. LAST(p)) {
        drop(w, i);
        if
        :: e[(w)*RECORDS + i].state == CALLING -> abort_call(w, i, GIVEN_UP)
        :: else
        fi;
        e[(w)*RECORDS + i].done = 0;
        e[(w)*RECORDS + i].released =
            (e[(w)*RECORDS + i].state == SETTLING || e[(w)*RECORDS + i].state == SENDING)
    };
    i = 0;
    owns[WP] = 0;
    revoking[WP] = 0;
    base[WP] = 0
}

inline assign(w, p)
{
    owner[p] = w;
    owns[WP] = 1;
    base[WP] = committed[p]
}

/* The record behind which an offset may lie: its outcome is durable, whoever is lost now. */
#define SAFE(r) (result[log[r].task] > log[r].gen + 1 || \
                 (result[log[r].task] == log[r].gen + 1 && \
                  (status[log[r].task] == OK || dead[UNIT(log[r].task, log[r].gen)])) || \
                 copied[UNIT(log[r].task, log[r].gen)] > log[r].seq)

inline commit(w, p)
{
    mark = base[WP];
    for (i : FIRST(p) .. LAST(p)) {
        if
        :: i >= mark && e[(w)*RECORDS + i].done && (i == mark || MISTAKE == highest_seen) ->
            mark = i + 1
        :: else
        fi
    };
    for (i : FIRST(p) .. LAST(p)) {
        if
        :: i >= base[WP] && i < mark ->
            holds(commit_safety, SAFE(i));
            e[(w)*RECORDS + i].done = 0
        :: else
        fi
    };
    committed[p] = mark;
    base[WP] = mark;
    i = 0;
    mark = 0
}

/* Is there something to commit? */
#define DONE_AT(x) (base[WP] + (x) < tail[p] && e[(w)*RECORDS + base[WP] + (x)].done)
#define MARK_MOVED (DONE_AT(0) || (MISTAKE == highest_seen && DONE_AT(1)))

/* Queued tasks find out at their dispatch; running calls are ended now. */
inline learn_of_cancel(w)
{
    knows[w] = 1;
    for (i : 0 .. RECORDS - 1) {
        if
        :: e[(w)*RECORDS + i].state == CALLING && (log[i].gen == 0 || MISTAKE == cancel_hits_all) ->
            reached(cancelled_in_flight);
            abort_call(w, i, CANCELLED)
        :: else
        fi
    };
    i = 0
}

proctype group(byte w, p)
{
end:
    do
    :: d_step { owns[WP] && owner[p] == w && MARK_MOVED -> commit(w, p) } /* others are fenced */
    :: d_step { owns[WP] && owner[p] != w -> forget(w, p) }                /* lost */
    :: d_step { revoking[WP] && owner[p] == w && !owns[OTHER(w) * 2 + p] ->
            commit(w, p); /* the grace is over, or nothing is left */
            forget(w, p);
            assign(OTHER(w), p) }
    :: d_step { p == 0 && cancelled && !knows[w] -> learn_of_cancel(w) }
#if PROBE == zombie_commit_fenced
    :: d_step { owns[WP] && owner[p] != w && MARK_MOVED -> reached(zombie_commit_fenced) }
#endif
    od
}

/* ---- what happens to them ------------------------------------------------------------------- */

inline crash(w, next)
{
    crashes--;
    losses++;
    for (i : 0 .. RECORDS - 1) {
        for (k : 0 .. CALLS - 1) {
            if
            :: ((e[(w)*RECORDS + i].attempts >> k) & 1) &&
               call[UNIT(log[i].task, log[i].gen) * CALLS + k] != BOOKED ->
                call[UNIT(log[i].task, log[i].gen) * CALLS + k] = LOST
            :: else
            fi
        };
        e[(w)*RECORDS + i].state = NOTHING;
        e[(w)*RECORDS + i].outcome = 0;
        e[(w)*RECORDS + i].attempts = 0;
        e[(w)*RECORDS + i].token = 0;
        e[(w)*RECORDS + i].seq = 0;
        e[(w)*RECORDS + i].done = 0;
        e[(w)*RECORDS + i].released = 0;
        e[(w)*RECORDS + i].stale = 0
    };
    knows[w] = 0;
    busy[(w)*2] = 0;
    busy[(w)*2 + 1] = 0;
    for (i : 0 .. PARTITIONS - 1) {
        owns[(w)*2 + i] = 0;
        revoking[(w)*2 + i] = 0;
        base[(w)*2 + i] = 0;
        if
        :: owner[i] == w -> assign(next, i)
        :: else
        fi
    };
    i = 0;
    k = 0
}

/* The coordinator thinks that w is gone. */
inline evict(w)
{
    zombies--;
    for (i : 0 .. PARTITIONS - 1) {
        if
        :: owner[i] == w -> losses++; assign(OTHER(w), i)
        :: else
        fi
    };
    i = 0
}

inline replay(t)
{
    log[tail[0]].task = t;
    log[tail[0]].gen = 1;
    tail[0]++
}

/* A worker gets no partition back before it has noticed that it was lost. */
#define CAN_TAKE(w) ((owner[0] == w || !owns[(w)*2]) && (owner[1] == w || !owns[(w)*2 + 1]))
#define HAS_SOME(w) (owner[0] == w || owner[1] == w)
#define MAY_REPLAY(t) (REPLAYS > 0 && tail[0] < LANE_ROOM && !replayed[GOOD] && !replayed[BAD] && \
                       result[t] == 1 && letter[UNIT(t, 0)] != NO_LETTER)
#define REPLAY_OPEN ((replayed[GOOD] || replayed[BAD]) && tail[0] < LANE_ROOM)

proctype world()
{
    do
    :: d_step { crashes > 0 -> crash(0, 0) }
    :: d_step { crashes > 0 && CAN_TAKE(1) -> crash(0, 1) }
    :: d_step { crashes > 0 && HAS_SOME(1) -> crash(1, 1) }
    :: d_step { crashes > 0 && HAS_SOME(1) && CAN_TAKE(0) -> crash(1, 0) }
    :: d_step { zombies > 0 && HAS_SOME(0) && CAN_TAKE(1) -> evict(0) }
    :: d_step { zombies > 0 && HAS_SOME(1) && CAN_TAKE(0) -> evict(1) }
    :: d_step { revokes > 0 && owner[0] == 0 && owns[0] && !revoking[0] -> revoke(0, 0) }
    :: d_step { revokes > 0 && owner[0] == 1 && owns[2] && !revoking[2] -> revoke(1, 0) }
#if PARKS > 0
    :: d_step { revokes > 0 && owner[1] == 0 && owns[1] && !revoking[1] -> revoke(0, 1) }
    :: d_step { revokes > 0 && owner[1] == 1 && owns[3] && !revoking[3] -> revoke(1, 1) }
#endif
    :: d_step { cancels > 0 -> cancels--; cancelled = 1 }
    /* The letter's row is marked first, so that a replay that died in between can be run again. */
    :: d_step { MAY_REPLAY(GOOD) -> replayed[GOOD] = 1 }
    :: d_step { MAY_REPLAY(BAD) -> replayed[BAD] = 1 }
    :: d_step { REPLAY_OPEN -> replay((replayed[BAD] -> BAD : GOOD)) }
    :: !REPLAY_OPEN || MISTAKE == replay_not_resumed -> break
    od
}

/* ---- when nothing moves any more ------------------------------------------------------------ */

inline check_task(t)
{
    mark = replayed[t]; /* the newest generation */
    holds(no_loss, result[t] == mark + 1);
    holds(one_result, wins[UNIT(t, 0)] == 1 && wins[UNIT(t, 1)] == mark);
    holds(no_loss, status[t] == OK || (letter[UNIT(t, mark)] != NO_LETTER && dead[UNIT(t, mark)]));
    holds(no_stranded, parked_seq[t] == 0);
    mark = 0
}

inline check_calls()
{
    for (i : 0 .. UNITS - 1) {
        for (k : 0 .. CALLS - 1) {
            holds(books, k >= paid[i] || call[i * CALLS + k] == BOOKED ||
                         call[i * CALLS + k] == LOST)
        }
    };
    i = 0;
    k = 0
}

proctype monitor()
{
    timeout ->
        d_step {
            check_task(GOOD);
            check_task(BAD);
            check_calls();
            for (i : 0 .. PARTITIONS - 1) {
                holds(no_stranded, committed[i] == tail[i])
            };
            i = 0;
            if
            :: crashes + zombies + revokes + cancels == 0 -> reached(quiet_after_faults)
            :: else
            fi
        }
}

init
{
    d_step {
        for (i : 0 .. TASKS - 1) {
            log[i].task = i
        };
        i = 0;
        tail[0] = TASKS;
        tail[1] = FIRST(1);
        committed[1] = FIRST(1);
        assign(0, 0);
        if
        :: PARKS > 0 -> assign(1, 1)
        :: else -> owner[1] = 2
        fi
    };
    atomic {
        byte n;
        for (n : 0 .. 2 * RECORDS - 1) {
            run handle(n / RECORDS, n % RECORDS)
        };
        run group(0, 0);
        run group(1, 0);
        if
        :: PARKS > 0 -> run group(0, 1); run group(1, 1)
        :: else
        fi;
        run world();
        run monitor();
        n = 0
    }
}
