"""The PostgreSQL that comes with the package: made in a folder, started, stopped, found again.

    .pgratchet/
        lock                  held by the server itself, see `start`
        data/                 the cluster; a link, where the server's account cannot enter this folder
            pgratchet.json    port and password, for nobody but the owner
            server.log        since the last start; the one before is server.log.old

The server listens on 127.0.0.1 alone and wants a random password. A socket in a folder of mode 0700 would
need none, but its path may have 107 bytes at most, and not every driver can say it in a URL. TCP without a
password would make every user of the machine a superuser, and a superuser can run programs as the owner.
This is a database that somebody may keep: nothing here trades safety for speed.
"""

from __future__ import annotations

from pgratchet.embedded.cluster import find, majors
from pgratchet.embedded.ending import end
from pgratchet.embedded.server import is_running, major, start, stop, url

__all__ = ["end", "find", "is_running", "major", "majors", "start", "stop", "url"]
