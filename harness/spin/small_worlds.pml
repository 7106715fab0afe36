/*
 * Every sequence of calls in a small world, up to a depth that is given to the search (-m). One step of this process is
 * one call; what a call does is known to the C side alone. Spin tells visited worlds by `seen`, the hash of their
 * canonical image, and saves and puts back `state` when it goes back to try another call.
 */
c_decl { \#include "harness/spin/small_worlds.h" }
c_track "&seen" "sizeof(seen)" "Matched"
c_track "&state" "sizeof(state)" "UnMatched"

#define CALL(n) :: d_step { c_expr { state.can[n] } -> c_code { call(n); }; assert(c_expr { state.is_right }) }

active proctype calls()
{
    c_code { start(readtrail); };
    do
    CALL(0) CALL(1) CALL(2) CALL(3) CALL(4) CALL(5) CALL(6) CALL(7) CALL(8)
    CALL(9) CALL(10) CALL(11) CALL(12) CALL(13) CALL(14) CALL(15) CALL(16) CALL(17)
    CALL(18) CALL(19) CALL(20) CALL(21) CALL(22) CALL(23) CALL(24) CALL(25) CALL(26)
    od
}
