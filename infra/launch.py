"""Becomes another program under the conditions a server needs: own session, not root, gone when its parent is gone.

Run as a script (`python -I -S launch.py ...`), never imported by a process with threads: what happens between fork
and exec is safe here because this process has nothing but itself.
"""

import ctypes
import os
import pwd
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
REFUSED = 97


def drop_to_nobody() -> None:
    """PostgreSQL refuses uid 0; nobody owns its data then."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def enter_namespace() -> None:
    """Root outside is uid 65534 inside, so files stay root's and folders closed to others stay reachable."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, content in (("setgroups", "deny"), ("uid_map", f"65534 {uid} 1"), ("gid_map", f"65534 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def end_with(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent dies; last, since changing the user clears it. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(REFUSED)


def main(way: str, parent: str, number: str, *program: str) -> None:
    """`way` is nobody, namespace or plain; `parent` 0 means: outlive whoever started it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        if way == "nobody":
            drop_to_nobody()
        elif way == "namespace":
            enter_namespace()
        if int(parent):
            end_with(int(parent), int(number))
        os.execv(program[0], program)
    except OSError as error:
        print(f"cannot launch {program[0]} ({way}): {error}", file=sys.stderr)
        os._exit(REFUSED)


if __name__ == "__main__":
    main(*sys.argv[1:])
