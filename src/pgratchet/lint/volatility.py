"""Whether an expression gives every row a value of its own, so that a default made of it rewrites the table."""

from __future__ import annotations

from pgratchet.lint.known import Known
from pgratchet.lint.tree import Node, expression, functions

VOLATILE = frozenset(
    """
    clock_timestamp timeofday random random_normal setseed gen_random_uuid uuidv4 uuidv7 nextval currval lastval
    setval pg_sleep pg_sleep_for pg_sleep_until set_config pg_notify pg_advisory_lock pg_try_advisory_lock
    pg_advisory_xact_lock lo_create lo_creat query_to_xml pg_stat_clear_snapshot array_sample array_shuffle
    current_query loread lowrite txid_status uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes
    gen_salt pg_relation_size
    """.split()  # noqa: SIM905
)
"""Functions of PostgreSQL, and of the extensions that come with it, that answer anew at each call."""
STEADY = frozenset(
    """
    now transaction_timestamp statement_timestamp timezone date_trunc date_part extract make_date make_time
    make_timestamp make_timestamptz make_interval to_timestamp to_date to_char to_number age upper lower initcap
    trim btrim ltrim rtrim lpad rpad length char_length octet_length substring substr left right replace translate
    repeat reverse concat concat_ws format md5 sha224 sha256 sha384 sha512 encode decode to_hex quote_ident
    quote_literal current_setting current_schema current_database current_user session_user user inet_client_addr
    pg_backend_pid abs ceil ceiling floor round trunc sign sqrt power mod exp ln log greatest least coalesce
    nullif json_build_object json_build_array jsonb_build_object jsonb_build_array to_json to_jsonb row_to_json
    array_append array_cat array_fill array_length cardinality string_to_array array_to_string unnest to_tsvector
    to_tsquery plainto_tsquery int4range int8range numrange tsrange tstzrange daterange host network uuid_nil
    uuid_ns_dns jsonb_object json_object overlay position strpos ascii chr version point box hashtext
    """.split()  # noqa: SIM905
)
"""Functions of PostgreSQL that answer the same for all rows of one statement."""


def volatile(known: Known, node: Node, depth: int = 3) -> bool | None:
    """Whether an expression is volatile; None where a function is not known."""
    answers = [_function(known, schema, name, depth) for schema, name in functions(node)]
    if True in answers:
        return True
    return None if None in answers else False


def _function(known: Known, schema: str, name: str, depth: int) -> bool | None:
    own = [] if schema == "pg_catalog" else known.functions.get(name, [])
    if own:
        if not any(function.volatile for function in own):
            return False
        # A body that is one expression takes the place of the call, and counts for what it is.
        inlined = [expression(function.inlined) if function.inlined else None for function in own]
        return all(
            body is None or depth == 0 or volatile(known, body, depth - 1) is not False for body in inlined
        )
    if name in VOLATILE:
        return True
    # A catalogue names all functions but PostgreSQL's own.
    return False if schema == "pg_catalog" or name in STEADY or known.catalogue else None
