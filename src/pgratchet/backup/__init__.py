"""Backups: taken in one snapshot, proven by a restore, kept while they are needed, restored beside what is there.

<place>/
    app-20260131T041500Z/     a backup; while it is made, .app-20260131T041500Z.partial
        manifest.json         what it is and holds, with the SHA-256 of every file
        proof.json            the last verification of exactly this manifest
        globals.sql           roles and tablespaces, where we may read them
            schema.json           the catalogue, item by item, to compare with
        data/                 pg_dump's own directory, which pg_restore reads without us
"""
