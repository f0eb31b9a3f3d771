#!/bin/sh
# Calls a second of the rate limiter through pgbench, on a database that has the migrations:
#
#     PGHOST=localhost PGDATABASE=bench sh benchmarks/database/limiter.sh
#
# floor: SELECT 1, what a call costs that does nothing.
# take: one limit that the caller states, allowed. take-many: the same for 10,000 callers. take-denied: refused.
# plan: one limit of the tenant's plan, allowed. plan-denied: refused. plan-three: three limits, one durable.
set -eu
tenant=be000000-0000-7000-8000-0000000000ff
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

psql -X -q -v ON_ERROR_STOP=1 <<SQL
INSERT INTO plans (plan_code, description)
VALUES ('bench_free', 'one limit'), ('bench_denied', 'one limit'), ('bench_policy', 'three limits')
ON CONFLICT DO NOTHING;
INSERT INTO rate_limits (plan_code, limit_name, unit, scope, amount, period, burst, durable) VALUES
    ('bench_free', 'requests', 'requests', 'subject', 1000000000, '1 second', 1000000000, false),
    ('bench_denied', 'requests', 'requests', 'subject', 1, '31 days', 1, false),
    ('bench_policy', 'requests', 'requests', 'subject', 1000000000, '1 second', 1000000000, false),
    ('bench_policy', 'tenant_requests', 'requests', 'tenant', 1000000000, '1 second', 1000000000, false),
    ('bench_policy', 'tokens', 'tokens', 'subject', 1000000000, '1 second', 1000000000, true)
ON CONFLICT DO NOTHING;
INSERT INTO tenants (tenant_id, tenant_name, plan_code)
VALUES ('$tenant', 'Limiter', 'bench_free') ON CONFLICT DO NOTHING;
SQL

echo "SELECT 1;" > "$work/floor"
echo "SELECT * FROM take_rate_limit('$tenant', 'hot', 'stated', 1000000000, '1 second');" > "$work/take"
printf '%s\n' '\set caller random(1, 10000)' \
    "SELECT * FROM take_rate_limit('$tenant', 'caller ' || :caller, 'stated', 1000000000, '1 second');" > "$work/take-many"
echo "SELECT * FROM take_rate_limit('$tenant', 'hot', 'denied', 1, '31 days');" > "$work/take-denied"
echo "SELECT * FROM consume_rate_limit('$tenant', 'hot');" > "$work/plan"
cp "$work/plan" "$work/plan-denied"
echo "SELECT * FROM consume_rate_limit('$tenant', 'hot', 1, 100);" > "$work/plan-three"

rate() { # script, clients
    pgbench -n -M prepared -c "$2" -j 2 -T "${SECONDS_EACH:-5}" -f "$work/$1" | sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

for commit in off on; do
    export PGOPTIONS="-c app.tenant_id=$tenant -c synchronous_commit=$commit"
    for script in ${SCRIPTS:-floor take take-many take-denied plan plan-denied plan-three}; do
        case $script in plan-denied) plan=bench_denied ;; plan-three) plan=bench_policy ;; *) plan=bench_free ;; esac
        psql -X -q -c "UPDATE tenants SET plan_code = '$plan' WHERE tenant_id = '$tenant'" \
            -c "DELETE FROM rate_limit_buckets" -c "SELECT FROM consume_rate_limit('$tenant', 'hot')" > /dev/null
        printf 'synchronous_commit %-3s  %-11s ' "$commit" "$script"
        for clients in 1 8 32; do
            printf '  %2d clients %6d/s' "$clients" "$(rate "$script" "$clients")"
        done
        echo
    done
done
