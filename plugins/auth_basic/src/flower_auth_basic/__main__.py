"""`python -m flower_auth_basic NAME` asks for a password and prints the line for the password file."""

from __future__ import annotations

import getpass
import sys

from flower_auth_basic import hashes

__all__ = ["main"]


def main() -> int:
    """Print `user:hash`; the password comes from the terminal, or is the first line of what is piped in."""
    if len(sys.argv) != 2 or not sys.argv[1] or ":" in sys.argv[1] or sys.argv[1].startswith(("-", "#")):
        sys.stderr.write("usage: python -m flower_auth_basic NAME >> FILE\n")
        return 2
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Once more: "):
            sys.stderr.write("The two are not the same.\n")
            return 2
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        sys.stderr.write("A password has at least one character.\n")
        return 2
    sys.stdout.write(f"{sys.argv[1]}:{hashes.make(password.encode())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
