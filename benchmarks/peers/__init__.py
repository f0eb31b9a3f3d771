"""The tools that are compared: pgratchet, psql as the floor, and every peer that can be had."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.peers import floor, golang, java, node, ours, perl, python
from benchmarks.peers.peer import Migration, Peer, Project

__all__ = ["ALL", "HOME", "Migration", "Peer", "Project", "home"]

HOME = Path(__file__).resolve().parent.parent / ".peers"
ALL: tuple[Peer, ...] = (
    *(*floor.PEERS, *ours.PEERS, *golang.PEERS),
    *(*python.PEERS, *node.PEERS, *perl.PEERS, *java.PEERS),
)


def home(peer: Peer) -> Path:
    """The folder that a peer is installed in."""
    return HOME / re.sub(r"[^a-z0-9]+", "-", peer.name)
