#!/bin/sh
# Calls a second of the rate limiter through pgbench, on a database that has the migrations:
#
#     PGHOST=localhost PGDATABASE=bench sh benchmarks/database/limiter.sh
#
# hot: one caller, never refused. many: 10,000 callers, never refused. denied: one caller, always refused.
# policy: one caller under three limits, one of them durable.
set -eu
tenant=be000000-0000-7000-8000-0000000000ff
seconds=${SECONDS_EACH:-5}
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
echo "SELECT * FROM consume_rate_limit('$tenant', 'hot');" > "$work/hot"
printf '%s\n' '\set caller random(1, 10000)' "SELECT * FROM consume_rate_limit('$tenant', 'caller ' || :caller);" > "$work/many"
cp "$work/hot" "$work/denied"
echo "SELECT * FROM consume_rate_limit('$tenant', 'hot', 1, 100);" > "$work/policy"

export PGOPTIONS="-c app.tenant_id=$tenant"
for commit in off on; do
    for case in hot many denied policy; do
        plan=bench_free
        case $case in denied | policy) plan=bench_$case ;; esac
        psql -X -q -c "UPDATE tenants SET plan_code = '$plan' WHERE tenant_id = '$tenant'" -c "DELETE FROM rate_limit_buckets" -c "SELECT FROM consume_rate_limit('$tenant', 'hot')" > /dev/null
        for clients in 1 8 32; do
            rate=$(PGOPTIONS="$PGOPTIONS -c synchronous_commit=$commit" pgbench -n -M prepared -c $clients -j 2 -T "$seconds" -f "$work/$case" | sed -n 's/^tps = \([0-9]*\).*/\1/p')
            printf 'synchronous_commit %-3s  %-6s  %2d clients  %6d calls/s\n' "$commit" "$case" "$clients" "$rate"
        done
    done
done
