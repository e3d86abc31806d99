"""A worker that behaves as a test wants: `python -m tests.adapters.fake_worker HOW LISTEN TIE`.

Once it may accept, it answers each connection with its process id.
"""

import os
import socket
import sys
import threading
import time

from broker.adapters.serving.worker_tie import ACCEPT, Alive, Refused, Started, SupervisorTie
from broker.flow.federation.documents import Problem

BEAT_SECONDS = 0.02


def answer(listener: socket.socket) -> None:
    listener.setblocking(True)
    while True:
        connection, _ = listener.accept()
        connection.sendall(f"{os.getpid()}\n".encode())
        connection.close()


def beat(tie: SupervisorTie, how: str) -> None:
    failing = ("store",) if how == "not-ready" else ()
    while True:
        tie.say(Alive(failing))
        time.sleep(BEAT_SECONDS)


def be(how: str, listen: int, descriptor: int) -> int:
    tie, listener = SupervisorTie(descriptor), socket.socket(fileno=listen)
    if how == "refuses":
        tie.say(Refused((Problem("keys/root", "-", "is missing.", "Make it."),)))
        return 1
    if how == "ends":
        return 3
    listener.listen()
    tie.say(Started())
    if how == "hangs":
        tie.say(Alive(()))
    else:
        threading.Thread(target=beat, args=(tie, how), daemon=True).start()
    while tie._end.recv(len(ACCEPT)):
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
    if how == "stays":
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(be(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
