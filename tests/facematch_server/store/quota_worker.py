"""A separate process that uses up a quota; test_quota_processes.py starts several.

Arguments: database URL, api_key, api_secret, number of requests, number of threads, how many requests to leave
unfinished. Prints `committed`, `released` or `refused` per request, `held` per unfinished one, and
`waiting` when only those are left; then it waits for its end.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from facematch_server.store import Store

TTL_SECONDS = 3600


def main() -> None:
    url, api_key, api_secret, requests, threads, unfinished = sys.argv[1:]
    store = Store.open(url)
    lock = threading.Lock()
    leave = int(unfinished)

    def say(word: str) -> None:
        with lock:
            print(word, flush=True)  # noqa: T201

    def request(number: int) -> None:
        nonlocal leave
        key = store.authenticate(api_key, api_secret)
        assert key is not None
        reservation = store.reserve(key, TTL_SECONDS)
        if reservation is None:
            say("refused")
            return
        with lock:
            hold = leave > 0
            leave -= hold
        if hold:
            say("held")
        elif number % 10 == 9:  # the tenth photo is bad: not counted
            store.release(reservation)
            say("released")
        else:
            store.commit(reservation)
            say("committed")

    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(request, range(int(requests))))
    if int(unfinished):
        say("waiting")
        sys.stdin.readline()
    store.close()


if __name__ == "__main__":
    main()
