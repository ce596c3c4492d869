#!/usr/bin/env bash
# Checks quern.pml: the model holds in every scope, each planted mistake is caught by the property it
# offends, and each interesting state is really reached. Needs spin 6.5 and gcc; takes about a minute.
# --all: the largest scope too, about a minute more.
set -euo pipefail
MODEL=$(dirname "$(readlink -f "$0")")/quern.pml
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
cp "$MODEL" "$DIR"
cd "$DIR"
bad=0

say() { printf '%s\n' "$*"; }

# What may happen in each scope. All are searched exhaustively.
declare -A SCOPE=(
    [crash-park]='-DCRASHES=1 -DPARKS=1 -DCOPIES=2'
    [crash-park-cancel]='-DCRASHES=1 -DPARKS=1 -DCOPIES=2 -DCANCELS=1'
    [crash-park-replay]='-DCRASHES=1 -DPARKS=1 -DCOPIES=3 -DREPLAYS=1'
    [crash-zombie]='-DCRASHES=1 -DZOMBIES=1'
    [zombie-park]='-DZOMBIES=1 -DPARKS=1 -DCOPIES=3'
    [two-revokes]='-DREVOKES=2'
    [one-zombie-park-cancel]='-DTASKS=1 -DZOMBIES=1 -DPARKS=1 -DCOPIES=3 -DCANCELS=1'
    [one-zombie-cancel-replay]='-DTASKS=1 -DZOMBIES=1 -DCANCELS=1 -DREPLAYS=1'
    [one-crash-zombie-cancel]='-DTASKS=1 -DCRASHES=1 -DZOMBIES=1 -DCANCELS=1'
    [one-crash-revoke-retry-cancel]='-DTASKS=1 -DCRASHES=1 -DREVOKES=1 -DRETRIES=1 -DCANCELS=1 -DCALLS=8'
    [one-crash-zombie-park]='-DTASKS=1 -DCRASHES=1 -DZOMBIES=1 -DPARKS=1 -DCOPIES=4 -DCALLS=6'
    [one-crash-zombie-replay]='-DTASKS=1 -DCRASHES=1 -DZOMBIES=1 -DREPLAYS=1'
    [one-park-cancel-replay]='-DTASKS=1 -DPARKS=1 -DCOPIES=3 -DCANCELS=1 -DREPLAYS=1'
)

# search SCOPE OPTIMIZATION [-Dname=value ...]: leaves pan's words in `out`.
search() {
    local scope=$1 optimize=$2 defines
    shift 2
    read -ra defines <<<"${SCOPE[$scope]}"
    spin -a "${defines[@]}" "$@" quern.pml >spin.out || { cat spin.out; exit 1; }
    gcc "$optimize" -w -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c
    ./pan -m1000 -w21 -n >out 2>&1 || true
}

errors() { sed -n 's/.*errors: \([0-9]*\).*/\1/p' out; }
violated() { sed -n 's/^pan:1: assertion violated (*\([a-z_]*\)||.*/\1/p' out; }

correct() {
    local scope=$1
    search "$scope" -O1
    if [ "$(errors)" = 0 ] && ! grep -q 'max search depth\|Search not completed' out; then
        say "correct model, $scope: holds, $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' out) states"
    else
        say "correct model, $scope: DOES NOT HOLD: $(grep '^pan:\|error:\|not completed' out)"
        bad=1
    fi
}

# planted MISTAKE SCOPE PROPERTY
planted() {
    search "$2" -O0 "-DMISTAKE=$1"
    if [ "$(violated)" = "$3" ]; then
        say "planted $1, $2: caught: violates $3"
    else
        say "planted $1, $2: NOT CAUGHT as $3 ($(grep '^pan:1' out || echo 'no error'))"
        bad=1
    fi
}

# reaches STATE SCOPE
reaches() {
    search "$2" -O0 "-DPROBE=$1"
    if grep -q '^pan:1: assertion violated (*\([0-9]*\)!=\1)' out; then
        say "state $1, $2: reached"
    else
        say "state $1, $2: NOT REACHED ($(grep '^pan:1' out || echo 'no error'))"
        bad=1
    fi
}

for scope in $(printf '%s\n' "${!SCOPE[@]}" | sort); do
    [ "$scope" = one-crash-zombie-park ] && [ "${1:-}" != --all ] && continue
    correct "$scope"
done

planted commit_before_settle crash-park commit_safety
planted highest_seen crash-park commit_safety
planted dead_letter_not_awaited crash-park commit_safety
planted park_not_awaited crash-park commit_safety
planted parked_row_believed crash-park commit_safety
planted settle_not_idempotent crash-park one_result
planted books_not_idempotent crash-park books
planted no_fresh_token one-crash-revoke-retry-cancel books
planted abort_unbooked two-revokes books
planted loser_ignores_letter one-crash-zombie-cancel commit_safety
planted parker_ignores_letter one-crash-zombie-park commit_safety
planted park_unconditional zombie-park no_stranded
planted note_without_version crash-park-replay commit_safety
planted generation_ignored one-zombie-cancel-replay one_result
planted cancel_unchecked one-zombie-cancel-replay cancel_kept
planted cancel_hits_all one-park-cancel-replay cancel_exact
planted replay_not_resumed one-park-cancel-replay no_loss
planted look_up_skipped crash-park calls_bounded

reaches quiet_after_faults one-crash-zombie-cancel
reaches quiet_after_faults crash-park-replay
reaches copy_published_again crash-park
reaches parked_and_done crash-park
reaches second_copy crash-park
reaches letter_published_again crash-park
reaches reply_lost_after_commit crash-park
reaches paid_twice crash-park
reaches zombie_answer crash-zombie
reaches zombie_settles crash-zombie
reaches zombie_commit_fenced crash-zombie
reaches settled_by_another crash-zombie
reaches park_refused zombie-park
reaches given_up_at_revoke two-revokes
reaches stale_answer one-crash-revoke-retry-cancel
reaches cancelled_in_flight one-zombie-cancel-replay
reaches old_generation_late one-zombie-cancel-replay
reaches twin_waits one-zombie-cancel-replay
reaches replay_called_after_cancel one-park-cancel-replay
reaches parked_copy_cancelled one-park-cancel-replay

[ "$bad" = 0 ] || { say 'not as expected'; exit 1; }
say 'all as expected'
